"""A world of drawn pictures: handwritten digits on textures, with everything known about them."""
