"""One picture into another."""
