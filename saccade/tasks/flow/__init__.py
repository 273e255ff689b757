"""Pictures made along the line from noise: of a class, or from another picture."""
