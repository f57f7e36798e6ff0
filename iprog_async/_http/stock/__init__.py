"""What servers and frameworks write for a status, and nobody says of a text."""
