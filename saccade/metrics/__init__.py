"""Figures for people, with intervals; not differentiated."""
