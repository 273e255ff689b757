"""Pixels to a sequence of tokens and back."""
