"""New pictures, drawn from noise."""
