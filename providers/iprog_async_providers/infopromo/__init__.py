"""The infopromo adapters."""
