"""Lists of suppressed numbers in each kind of place."""
