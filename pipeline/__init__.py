"""From a question in `params.yaml` to a verdict in the book, a package a stage."""
