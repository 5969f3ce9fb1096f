"""Sources → arrays; arrays and a seed → a split."""
