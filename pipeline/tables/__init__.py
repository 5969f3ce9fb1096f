"""What stages hand on to each other: every table, the store of runs, whole files."""
