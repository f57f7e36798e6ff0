"""Sending at full speed, for as long as one likes, through everything that can go wrong."""
