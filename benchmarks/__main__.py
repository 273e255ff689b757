"""Runs a benchmark by name, or lists them."""

import importlib
import sys

NAMES = {
    "demo": "saccade demo, rag and vit: accuracy and seconds over 3 seeds",
    "fashion": "Fashion-MNIST, saccade train --budget 10m: test accuracy over 3 seeds",
    "signs": "sign-language digits, saccade train --budget 5m: accuracy over 3 seeds",
    "pointing": "explanations: does LeGrad point at the digit asked for, over 3 seeds",
    "attention_paths": "fused against explicit attention, forward and backward",
    "linear": "fp32 linear maps on a CPU, MKL against oneDNN",
    "against_timm": "vit-s16 eager against timm's, in the same run; needs the extra parity",
    "parity": "published model families beside ours, same weights; needs the extra parity",
    "loop_overhead": "the training loop beside bare steps of PyTorch, in turn",
    "kills_timm": "the same of the trainer of timm; has options",
    "spinning": "how OpenMP's threads wait, alone and beside a busy process",
    "page_faults": "a training step on a CPU with freed memory kept, and given back",
    "input_pipeline": "JPEG files of 1600 x 1200 into batches, beside torchvision and timm",
    "kills": "200 times SIGKILL at any moment and inside a save, resumed: to the bit",
    "steps": "training steps against timm's best ways and the limit; needs the extra parity",
    "switches": "what each switch of a ViT costs in time, one thread",
    "ablation": "what each part of the models is worth at equal seconds; has options, see --help",
    "generate": "samples of digits and clothes, and what the network should answer; has options",
    "segment": "classes of pixels, objects, nuclei, each beside a control; has options",
    "translate": "flow beside one-step regression: colours, noise, facades; has options",
    "mirror_test": "does the mirror test know when mirror images keep their class",
    "explain_memory": "peak memory of explaining a picture of 1024 px, each method and path",
    "video": "clips: moving digits and spoken words, beside frames without their order, 3 seeds",
    "packing": "pictures of mixed sizes: packed against padded, forward and backward",
    "detect": "digits on canvases: average precision, no place as control, 16 by heart",
    "detect_cells": "BCCD blood cells: average precision, from scratch and pretrained",
    "copies": "edited copies of 2,000 pictures found again, by models and without; has options",
    "engines": "exact search beside faiss, approximate beside exact, 100,000 vectors; has options",
    "distill": "a student alone against the same one taught, at equal steps; has options",
    "trust": "calibration before and after the temperature, pictures of other things; has options",
    "pretrain": "learning without labels: four methods and controls; has options, see --help",
}

HAVE_OPTIONS = {
    "ablation", "copies", "detect", "detect_cells", "distill", "engines", "generate", "kills_timm",
    "pretrain", "segment", "translate", "trust", "video",
}  # fmt: skip
"""These read their own command line; the others take seeds."""


def main() -> None:
    """Runs the benchmark named, with whatever arguments follow."""
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        print("usage: python -m benchmarks NAME [SEED ...]\n")
        for name, what in NAMES.items():
            print(f"  {name:<16} {what}")
        raise SystemExit(0 if len(sys.argv) < 2 else 2)
    module = importlib.import_module(f"benchmarks.{sys.argv[1]}")
    if sys.argv[1] in HAVE_OPTIONS:
        module.main(sys.argv[2:])
        return
    module.run([int(text) for text in sys.argv[2:]] or [0, 1, 2])


if __name__ == "__main__":
    main()
