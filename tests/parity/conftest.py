"""The libraries compared with are no dependency: ``pip install saccade[parity]`` brings them.

Without one of them its tests are skipped.
"""

from benchmarks.operators import declare_operators

declare_operators()
