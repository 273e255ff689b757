"""Measurements of this machine, one command each: ``python -m benchmarks NAME``."""
