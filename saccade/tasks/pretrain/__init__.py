"""Learning without labels: views that agree, a teacher, missing patches."""
