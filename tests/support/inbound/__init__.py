"""Posting incoming texts to an application."""
