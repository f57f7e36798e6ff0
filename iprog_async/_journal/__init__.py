"""What is on record of a run, so that a crash and a second start text nobody twice."""
