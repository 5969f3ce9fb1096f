"""A plan → runs, learning curves and a lab record."""
