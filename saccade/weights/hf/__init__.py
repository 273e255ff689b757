"""Weights of transformers, in both directions."""
