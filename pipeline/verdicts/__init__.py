"""Runs and claims → effects, verdicts, and the rule's own error rates."""
