"""The bulk command: from a CSV file to outcomes in another."""
