"""A fleet in processes of its own, which are killed, stopped and cut off."""
