"""Backbone, head, loss, metrics and decoding as one thing a user wants."""
