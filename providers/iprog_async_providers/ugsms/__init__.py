"""The ugsms adapters."""
