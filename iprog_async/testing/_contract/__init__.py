"""What every adapter has to prove: the suite, its cases and its checks."""
