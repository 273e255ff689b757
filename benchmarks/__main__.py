"""Runs a benchmark by name, or lists them."""

import importlib
import sys

NAMES = {
    "demo": "saccade demo, rag and vit: accuracy and seconds over 3 seeds",
    "fashion": "Fashion-MNIST, saccade train --budget 10m: test accuracy over 3 seeds",
    "signs": "sign-language digits, saccade train --budget 5m: accuracy over 3 seeds",
    "pointing": "explanations: does LeGrad point at the digit asked for, over 3 seeds",
    "attention_paths": "fused against explicit attention, forward and backward",
    "spinning": "how OpenMP's threads wait, alone and beside a busy process",
    "mirror_test": "does the mirror test know when mirror images keep their class",
}


def main() -> None:
    """Runs the benchmark named, with whatever arguments follow."""
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        print("usage: python -m benchmarks NAME [SEED ...]\n")
        for name, what in NAMES.items():
            print(f"  {name:<16} {what}")
        raise SystemExit(0 if len(sys.argv) < 2 else 2)
    seeds = [int(text) for text in sys.argv[2:]] or [0, 1, 2]
    importlib.import_module(f"benchmarks.{sys.argv[1]}").run(seeds)


if __name__ == "__main__":
    main()
