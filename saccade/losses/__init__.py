"""What the optimiser makes small."""
