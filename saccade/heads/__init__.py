"""Tokens to a prediction; heads know no loss."""
