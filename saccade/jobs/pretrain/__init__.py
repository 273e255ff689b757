"""Learning without labels: what its verbs need beside the task."""
