"""Commands that are a module each."""
