"""IPROG's sandbox and wire, for tests."""
