"""Specs → one resolved file an experiment, checked before anything trains."""
