"""What an adapter is: its protocols, base class, address, and table of refusals."""
