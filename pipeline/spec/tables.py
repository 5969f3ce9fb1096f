"""What stages hand to each other: every stored table and its columns."""

from __future__ import annotations

TRIVIAL = "trivial predictor"
OPPOSITE, NO_EFFECT, DIFFERENCE = (
    "the opposite effect", "no effect of that size", "a difference")
DECIDED = ("supported", "contradicted", "mixed", "undecided", "true", "false")
CELL_COLUMNS = [
    "claim", "treatment", "control", "minus_treatment", "minus_control", "minus_data", "data", "metric",
    "endpoint", "region", "m", "seeds", "scale", "effect", "low", "high", "margin", "label",
    "position", "why", "sign", "control_mean", "treatment_mean", "diverged_treatment",
    "diverged_control", "detectable"]
VERDICT_COLUMNS = [
    "slug", "verdict", "way", "reads", "D", "F", "A", "k", "scope", "fragile"]
DOSE_COLUMNS = ["experiment", "key", "dose", "data", "seeds", "mean", "low", "high"]
TABLES = {
    "cells": CELL_COLUMNS, "comparisons": CELL_COLUMNS, "arms": ["kind", *CELL_COLUMNS],
    "verdicts": VERDICT_COLUMNS, "robustness": ["claim", "change", "verdict"],
    "simulated": ["scenario", "unit", "outcome", "share", "wrong"],
    "doses": DOSE_COLUMNS,
    "checks": ["check", "statement", "expected", "found", "tolerance", "holds"],
    "applications": ["family", "network", "bn_layers", "before_activation", "after_activation",
                     "neither", "without_bias", "with_bias"],
    "old_code": ["thread", "feature", "works", "happens", "repair"]}
MECHANICS = ("checks", "applications", "old_code")
