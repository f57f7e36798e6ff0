"""Numbers that must not be texted: who is on the list, since when and why, and where it is kept."""
