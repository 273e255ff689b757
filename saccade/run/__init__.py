"""The loop, optimiser, schedule, checkpoints, devices, records."""
