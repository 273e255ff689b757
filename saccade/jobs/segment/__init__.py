"""A class for each pixel, or a mask for each object."""
