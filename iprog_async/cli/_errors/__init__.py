"""What goes wrong, in the words of the command line."""
