"""Code of users that is called from here."""
