"""What checks the project, and no reader needs."""
