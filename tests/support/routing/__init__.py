"""Routers and their wires, for tests."""
