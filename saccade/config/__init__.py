"""Frozen data that decides a run, and how it is read and changed."""
