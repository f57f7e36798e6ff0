"""UGSMS's samples, sandbox and wire, for tests."""
