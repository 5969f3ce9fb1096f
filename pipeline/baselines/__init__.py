"""What simple predictors score on every data set."""
