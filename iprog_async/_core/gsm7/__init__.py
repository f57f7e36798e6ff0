"""Writing texts in GSM-7, where a look-alike of a character will do."""
