"""Weights of timm, in both directions."""
