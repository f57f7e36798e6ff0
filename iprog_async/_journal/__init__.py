"""The SQLite file of what was sent, so that a run can go on after a crash."""
