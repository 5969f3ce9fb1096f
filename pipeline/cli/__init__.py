"""What a person asks on the command line."""
