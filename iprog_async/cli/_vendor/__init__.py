"""Commands for what only some vendors offer, by the shape of what an adapter has."""
