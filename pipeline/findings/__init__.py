"""What was found: a comparison is a finding, and a claim reads findings."""
