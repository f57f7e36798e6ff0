"""Connections to databases in a process that forks: whose they are, and what a child may close."""
