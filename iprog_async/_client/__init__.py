"""The client, which all the rest is for."""
