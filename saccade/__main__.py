"""Lets ``python -m saccade`` and ``torchrun -m saccade`` do what the ``saccade`` command does."""

from saccade.cli import main

if __name__ == "__main__":
    main()
