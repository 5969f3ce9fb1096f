"""Kill, starve and lock out runs of a tiny project at random moments: do they go on, and end in the same bytes?"""
