"""Following accepted texts to their final delivery status; nothing is sent from here."""
