"""A file of a reader → its entry in params.yaml, trained, ranked."""
