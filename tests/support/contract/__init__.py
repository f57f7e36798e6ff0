"""What the contract suite is run with, a module a vendor."""
