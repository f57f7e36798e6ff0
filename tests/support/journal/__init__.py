"""Journals and their rows, for tests."""
