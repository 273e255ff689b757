"""From vectors to neighbours: engines that search, and index folders that keep what they need."""
