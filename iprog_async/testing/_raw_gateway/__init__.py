"""A server that answers as a test wants, byte for byte."""
