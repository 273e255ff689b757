"""What the verbs need to know of each job: one package per job, all with the same few methods."""
