"""Stored tables → the HTML book. Pages read tables; they never decide."""
