"""A process that is killed, and the gateway that it sends to."""
