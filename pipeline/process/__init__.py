"""How a process begins, ends, and shares its work with other cores."""
