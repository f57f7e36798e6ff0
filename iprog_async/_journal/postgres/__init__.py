"""The journal in PostgreSQL, which any number of processes and machines share."""
