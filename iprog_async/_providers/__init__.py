"""What an adapter is: its protocols, its base, its address, and how it reads refusals."""
