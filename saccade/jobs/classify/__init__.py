"""One class for each picture."""
