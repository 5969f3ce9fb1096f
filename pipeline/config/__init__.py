"""What a person writes, and what stages hand to each other."""
