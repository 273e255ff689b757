"""Segmentation: a class for each pixel, or a class and a mask for each object."""
