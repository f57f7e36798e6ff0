"""One call of a gateway: its request, its place in line, its tries, and what is answered."""
