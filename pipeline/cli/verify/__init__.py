"""A random sample of the stored runs, trained again, and what that says of all of them."""
