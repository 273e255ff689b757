"""Functions that return a complete config, with receipts."""
