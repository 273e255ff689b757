"""The forms in which people keep boxes, masks and pairs of pictures."""
