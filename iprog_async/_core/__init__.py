"""What every other layer knows: values, errors, checks, the clock, and who is told."""
