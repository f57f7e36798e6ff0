"""What people do to a journal by hand: they settle, prune and forget."""
