"""Processes that share limits: as throttles on one clock, and for real."""
