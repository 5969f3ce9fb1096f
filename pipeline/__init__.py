"""From a question in `params.yaml` to a verdict in the book, one module a stage."""
