"""Pictures that move: files and folders of frames, as sources of clips."""
