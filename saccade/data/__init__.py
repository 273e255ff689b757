"""Bytes to batches: sources, decode, split, preprocess, augment, load."""
