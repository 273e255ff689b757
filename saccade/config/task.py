"""One frozen dataclass per job: the numbers that belong to it and to no other."""

from dataclasses import dataclass
from typing import Literal

ShortClips = Literal["refuse", "repeat"]
TeachMethod = Literal["none", "logits", "hard", "features"]


@dataclass(frozen=True, kw_only=True)
class ClassifyConfig:
    """One class for each picture; its label smoothing is in ``OptimConfig``."""

    job: Literal["classify"] = "classify"


@dataclass(frozen=True, kw_only=True)
class VideoConfig:
    """One class for each clip; its label smoothing is in ``OptimConfig``."""

    job: Literal["video"] = "video"
    num_frames: int = 8  # that the model is given, evenly spread over the clip
    spares: int = 1  # frames read for each of them; training takes any one, answers the middle one
    short_clips: ShortClips = "refuse"  # with fewer frames than are read: repeat shows some again
    input: Literal["frames", "changes"] = "frames"  # changes: less the clip's mean, what moves
    baseline: Literal["frames", "none"] = "frames"  # frames: a model of single ones, beside


@dataclass(frozen=True, kw_only=True)
class DetectConfig:
    """A class and a box for each object: every token proposes one (arXiv 2205.06230)."""

    job: Literal["detect"] = "detect"
    repeats: int = 4  # tokens that learn each object at first (arXiv 2203.09507)
    one_to_one_from: float = 0.25  # progress from which it is one, so that nothing is found twice
    object_width: float = 0.2  # of the first guess, as a share of the picture's: the usual one
    object_height: float = 0.2
    max_detections: int = 100  # of a picture that are kept, of all classes together


SegmentMethod = Literal["linear", "upsample", "eomt"]
SegmentTruth = Literal["classes", "segments"]


@dataclass(frozen=True, kw_only=True)
class SegmentConfig:
    """A class for each pixel (linear, upsample), or a class and a mask for each object (eomt)."""

    job: Literal["segment"] = "segment"
    method: SegmentMethod = "upsample"
    truth: SegmentTruth = "classes"  # what the source's masks hold for a pixel

    # Of linear and upsample.
    balance: float = 0.5  # classes count by their share of pixels to minus this; falls to 0
    dice_weight: float = 1.0  # of the overlap of classes, beside their cross-entropy
    coarse_weight: float = 0.4  # of upsample: of the loss of the tokens' own answer

    # Of eomt (arXiv 2503.19108).
    num_queries: int = 50  # the most segments that it can find
    patch_weight: float = 1.0  # of what the patches say about classes, beside the queries' loss
    num_query_blocks: int = 3  # the last blocks, which see the queries too
    has_mask_attention: bool = True  # while training a query looks at its own mask, at first
    stuff: tuple[str, ...] = ()  # classes that are one region, however many pieces it has


@dataclass(frozen=True, kw_only=True)
class PretrainConfig:
    """Learning from pictures without labels.

    VISReg (arXiv 2606.02572) and LeJEPA (2511.08544) make the views of a picture agree while the
    vectors of many pictures keep to a Gaussian; DINO (2104.14294) makes a student agree with the
    average of itself; MAE (2111.06377) draws the patches that it was not shown; by features a
    student sees what its teacher sees (``TeachConfig``).
    """

    job: Literal["pretrain"] = "pretrain"
    method: Literal["visreg", "lejepa", "mae", "dino", "features"] = "visreg"

    # The views of a picture; not for mae.
    num_global_views: int = 2
    num_local_views: int = 4
    smallest_global: float = 0.3  # share of the picture's area; the largest view is all of it
    smallest_local: float = 0.1
    largest_local: float = 0.4
    local_size: int = 16  # pixels a side; a global view has the size of the picture
    flip: float = 0.5  # probability of a mirror image
    colour: float = 1.0  # strength of brightness, contrast, saturation, hue, greying, solarising
    blur: float = 0.5  # probability; views of less than 64 pixels have nothing to lose

    # What the loss sees: a vector made from that of the backbone, which is left behind afterwards.
    projector_hidden: int = 512
    projector_dim: int = 128
    regulariser: float = 0.8  # of visreg and lejepa: its share of the loss
    num_slices: int = 256  # of the same: random directions looked along, new ones each step

    # dino
    num_prototypes: int = 1024  # classes that student and teacher agree about
    teacher_decay: float = 0.99  # of the teacher's average at the start; it grows to 1
    teacher_temperature: float = 0.04
    student_temperature: float = 0.1

    # mae
    hidden: float = 0.75  # share of the patches
    decoder_dim: int = 64
    decoder_depth: int = 2
    decoder_heads: int = 4


@dataclass(frozen=True, kw_only=True)
class EmbedConfig:
    """Vectors by which pictures of one class are near each other."""

    job: Literal["embed"] = "embed"
    out_dim: int = 128  # numbers in a vector
    temperature: float = 0.1  # divides the cosines with the classes (arXiv 1811.12649)
    spread_weight: float = 0.1  # of KoLeo, which spreads the vectors (arXiv 1806.03198); 0: off


@dataclass(frozen=True, kw_only=True)
class FlowConfig:
    """From noise to a picture along straight lines (arXiv 2209.03003), as in JiT (2511.13720)."""

    prediction: Literal["picture", "velocity", "noise"] = "picture"  # what the network answers
    time_mean: float = -0.8  # of the logit of the times that are trained; 0 is noise, 1 the picture
    time_std: float = 0.8
    smallest_gap: float = 0.05  # that the loss and the sampler divide by: near the end of the path
    noise_scale: float = 1.0  # standard deviation, of pixels in [-1, 1]; 2 suits 512 px
    num_steps: int = 25  # of the sampler, each but the last asks the network twice


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """New pictures, of a class that is asked for where there are classes."""

    job: Literal["generate"] = "generate"
    flow: FlowConfig = FlowConfig()
    label_drop: float = 0.1  # share of pictures trained without their class (arXiv 2207.12598)
    guidance: float = 2.0  # 1: none; more: further from what no class would be
    guidance_from: float = 0.1  # the times between which there is any (arXiv 2404.07724)
    guidance_to: float = 1.0
    num_judged: int = 500  # samples that the figures are taken on
    num_real: int = 1_000_000  # real pictures of a part that they are taken on, at most


@dataclass(frozen=True, kw_only=True)
class EditConfig:
    """How a condition is made from a plain picture; what it was is what is to be learned."""

    kind: Literal["none", "colourise", "denoise", "enlarge"] = "none"  # none: the source has pairs
    noise: float = 0.2  # of denoise: standard deviation, of pixels in [0, 1]
    factor: int = 4  # of enlarge


@dataclass(frozen=True, kw_only=True)
class TranslateConfig:
    """One picture into another, beside a baseline that answers in one step."""

    job: Literal["translate"] = "translate"
    flow: FlowConfig = FlowConfig()
    edit: EditConfig = EditConfig()
    num_judged: int = 1_000_000  # pairs of a part that the figures are taken on, at most


@dataclass(frozen=True, kw_only=True)
class TeachConfig:
    """What a trained model, the teacher, says to a smaller one; the contract says which it is.

    It sees the very pictures that the student learns from, after augmentation (arXiv 2106.05237).
    """

    method: TeachMethod = "none"  # its probabilities, its answers, its vectors
    weight: float = 0.9  # of what it says in the loss; labels have the rest
    has_labels: bool = True  # False: the teacher alone teaches, and names what there are labels for
    temperature: float = 2.0  # of logits: divides both models' (arXiv 1503.02531)
    of: Literal["patches", "picture"] = "patches"  # of features: which vectors
    width: int = 0  # of features: numbers in a vector of the teacher, which decides it


TaskConfig = (
    ClassifyConfig
    | VideoConfig
    | DetectConfig
    | SegmentConfig
    | PretrainConfig
    | EmbedConfig
    | GenerateConfig
    | TranslateConfig
)

JobName = Literal[
    "classify", "video", "detect", "segment", "pretrain", "embed", "generate", "translate"
]
