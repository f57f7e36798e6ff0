"""What every command rests on: exit codes, the table of commands, packages that may lack."""
