"""What people do to a journal in PostgreSQL by hand."""
