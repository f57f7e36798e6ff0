"""Policies: what decides, right before a text is claimed, whether it may be sent now."""
