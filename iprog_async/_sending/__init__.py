"""One batch: which messages travel together, and one outcome for each."""
