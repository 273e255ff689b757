"""Weights of other libraries: read, proven complete, and written back."""
