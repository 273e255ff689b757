"""What moves the weights: which parameters alike, and by what rule."""
