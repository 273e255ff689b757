"""Vectors by which pictures of one class are near each other."""
