"""The inbox page of the sandbox: what it lists, what it masks, its switches, its files."""
