"""From the bytes of one picture file to pixels."""
