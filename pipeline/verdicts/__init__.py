"""How a verdict is reached: the data set is the unit of replication."""
