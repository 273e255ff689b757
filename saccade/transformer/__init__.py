"""Attention, residual rules and blocks."""
