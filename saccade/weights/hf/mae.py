"""MAE of transformers (arXiv 2111.06377): its encoder is a ViT, its decoder has to be left out.

The positions are fixed sines and cosines there, but they are in the file, so they are read as
learned ones. The mask token belongs to the decoder, ``decoder.mask_token``.
"""

from dataclasses import replace

from saccade.weights.hf.config import Description, Layout, plain_vit
from saccade.weights.hf.vit import vit_rules


def read_mae(described: Description) -> Layout:
    """The encoder as its config.json describes it; written back as a ViT, which it is."""
    model = replace(
        plain_vit(described, hidden_dim=described.positive("intermediate_size")),
        has_qkv_bias=described.flag("qkv_bias"),
    )
    return Layout(model=model, rules=vit_rules(model, prefix=described.prefix("vit")))
