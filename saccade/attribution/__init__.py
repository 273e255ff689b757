"""What a trained model looked at, from its attention maps and their gradients."""
