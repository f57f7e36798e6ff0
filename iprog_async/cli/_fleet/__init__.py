"""What the command line has for a fleet: loading, workers, watching."""
