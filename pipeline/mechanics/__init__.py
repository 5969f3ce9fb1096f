"""Exact checks: what needs no statistics."""
