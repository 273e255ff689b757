"""Random changes of whole batches on their device, and the numbers they come from."""
