"""Bulk runs, for tests."""
