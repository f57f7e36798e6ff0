"""What commands print and ask, on a terminal or for a program."""
