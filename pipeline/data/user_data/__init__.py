"""A file of a reader → arrays."""
