"""The server of the sandbox: its thread, its routes, and whom it lets in."""
