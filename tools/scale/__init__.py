"""An invented study of any size → how long each step of the pipeline takes, and how that grows."""
