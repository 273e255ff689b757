"""Records of a run -> pictures and pages; runs no model."""
