"""Each verb of the command line as a Python function; one file per verb."""
