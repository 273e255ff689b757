"""What training, answering and converting start from: a run folder, or weights from elsewhere."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from saccade.config.json import from_json
from saccade.config.model import ModelConfig, VitConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.config.task import JobName, VideoConfig
from saccade.errors import UsageError
from saccade.run.contract import Origin, load_contract, require_same_classes
from saccade.run.folder import RunFolder, read_json
from saccade.run.inflate import initialise_video
from saccade.run.weights import load_weights
from saccade.tasks.build import AnyTask, build_classifier, build_task, build_video
from saccade.tasks.classify import Classify
from saccade.tasks.video import Video
from saccade.weights.hub import HUB
from saccade.weights.read import read

SACCADE = "saccade"
BACKBONE = "backbone."  # what the names of a backbone's tensors begin with, whatever the job
LESSON = "lesson."  # what a classifier learned only to listen to its teacher
CLASS_MAPS = "head.classify"  # what the names of the last maps begin with, one or two by the pool


@dataclass(frozen=True, kw_only=True)
class Start:
    """A model with its weights, wherever they come from.

    Attributes:
        source: as the user named it.
        library: whose layout it had; ``saccade`` for a run folder.
        architecture: the model's name there.
        model: the shape.
        class_names: in the order of the logits; empty when the weights have no head.
        preprocess: how a picture has to be prepared.
        licence: of the weights, as their source states it.
        tensors: by the names of our task; without ``head.classify...`` when there is no head.
        notes: what a user should hear.
        job: that they were trained for.
    """

    source: str
    library: str
    architecture: str
    model: ModelConfig
    class_names: tuple[str, ...]
    preprocess: Preprocess
    licence: str
    tensors: Mapping[str, Tensor]
    notes: tuple[str, ...]
    job: JobName = "classify"

    @property
    def has_head(self) -> bool:
        """Whether there is more than a backbone."""
        return any(not name.startswith(BACKBONE) for name in self.tensors)

    @property
    def name(self) -> str:
        """The model, and whose it is: ``rag-nano4``, ``vit_small_patch16_224 of timm``."""
        if self.library == SACCADE:
            return self.architecture
        return f"{self.architecture} of {self.library}"

    def origin(self, *, has_new_head: bool) -> Origin:
        """Where a model that starts from this comes from, for its contract."""
        return Origin(
            source=self.source,
            library=self.library,
            architecture=self.architecture,
            sha256=self.sha256(),
            has_new_head=has_new_head,
        )

    def sha256(self) -> str:
        """A hash of all tensors, by which the very same weights are known again."""
        found = hashlib.sha256()
        for name, tensor in sorted(self.tensors.items()):
            found.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            found.update(flat.view(torch.uint8).numpy().data)
        return found.hexdigest()


def find_run(source: str | Path) -> RunFolder | None:
    """The run folder that was named; None where it must be weights of another library."""
    if str(source).startswith(HUB):
        return None
    folder = RunFolder(source)
    return folder if folder.is_begun else None


def read_start(source: str | Path, *, leave_out: Sequence[str] = ()) -> Start:
    """Reads a run folder, or whatever ``saccade.weights.read`` takes, whole or not at all.

    Args:
        source: a run folder, a ``.safetensors`` or ``.npz`` file, a folder of another library, or
            ``hf://owner/name[@revision]``.
        leave_out: patterns of *their* names for tensors that may be dropped.

    Raises:
        UsageError: there is nothing of the kind, or the user's files are not complete.
        DataError: a file is damaged, or is not the model that it describes.
    """
    run = find_run(source)
    if run is not None:
        if leave_out:
            raise UsageError(
                f"{source} is a run folder, of which nothing can be left out; --leave-out is for "
                "weights of other libraries"
            )
        return _of_run(run)
    try:
        found = read(source, leave_out=leave_out)
    except UsageError as error:
        if not Path(source).is_dir():
            raise
        inside = RunFolder(source).runs_inside()
        if inside:
            raise UsageError(f"{source} is not a run folder, but {inside}") from None
        raise UsageError(
            f"{source} is not a run folder (it has no contract.json), nor can it be read as "
            f"weights: {error}"
        ) from None
    return Start(
        source=found.source,
        library=found.library,
        architecture=found.architecture,
        model=found.model,
        class_names=found.class_names,
        preprocess=_for_clips(found.preprocess, found.model),
        licence=found.licence,
        tensors=found.tensors,
        notes=found.notes,
        job="video" if _reads_clips(found.model) else "classify",
    )


def restore(start: Start) -> Classify | Video:
    """The model as it was, with its own classes; without any where the weights have no head."""
    if start.job == "video":
        return _restore_video(start)
    task = build_classifier(
        start.model,
        class_names=start.class_names,
        preprocess=start.preprocess,
        seed=0,
        label_smoothing=0.0,
    )
    initialise(task, start, has_new_head=not start.class_names)
    return task


def _restore_video(start: Start) -> Video:
    assert isinstance(start.model, VitConfig)
    task = build_video(
        start.model,
        VideoConfig(num_frames=start.preprocess.num_frames, baseline="none"),
        class_names=start.class_names,
        preprocess=start.preprocess,
        seed=0,
        label_smoothing=0.0,
    )
    initialise(task, start, has_new_head=not start.class_names)
    return task


def needs_new_head(
    start: Start, job: JobName, class_names: Sequence[str], *, source: str, is_agreed: bool
) -> bool:
    """Whether the head has to be left behind to learn these classes.

    Args:
        start: the weights.
        job: what is to be learned with them.
        class_names: of the data, in any order; none for a job without classes.
        source: the data, as the user named it.
        is_agreed: whether the user agrees to a new head.

    Raises:
        DataError: the classes are others and the user has not agreed; both lists are shown.
    """
    if is_agreed or start.job != job:
        return True
    if not start.class_names:
        return start.library != SACCADE or bool(class_names) or not start.has_head
    require_same_classes(
        start.class_names,
        class_names,
        source=source,
        advice="Rename the data's classes to the model's names, or add --new-head to learn the "
        "data's classes with a new head",
    )
    # Only a classifier's head can be put into another order.
    return job != "classify" and start.class_names != tuple(class_names)


def has_other_head(task: AnyTask, start: Start) -> bool:
    """Whether a job's method has another head than the weights, although the job is the same."""
    if isinstance(task, Classify | Video) or not start.has_head:
        return False
    shapes = {name: value.shape for name, value in start.tensors.items()}
    return shapes != {name: value.shape for name, value in task.state_dict().items()}


def initialise(task: AnyTask, start: Start, *, has_new_head: bool) -> None:
    """Puts weights into a task whose backbone has their shape, in place.

    Args:
        task: built from ``start.model``.
        start: the weights.
        has_new_head: whether all but the backbone stays as it was built. A classifier takes over
            the norm before its maps to the classes too: it belongs to what was learned.

    Raises:
        UsageError: the backbones do not have the same tensors.
    """
    if isinstance(task, Video) and isinstance(start.model, VitConfig):
        initialise_video(task, start.tensors, start.model, has_new_head=has_new_head)
        return
    if isinstance(task, Classify) and start.job == "classify":
        _initialise_classifier(task, start, has_new_head=has_new_head)
        return
    if not has_new_head and start.class_names == task.class_names:
        task.load_state_dict(start.tensors)
        return
    tensors = {name: value for name, value in start.tensors.items() if name.startswith(BACKBONE)}
    own = {name: value for name, value in task.state_dict().items() if name.startswith(BACKBONE)}
    differing = sorted(
        name
        for name in {*tensors, *own}
        if name not in tensors or name not in own or tensors[name].shape != own[name].shape
    )
    if differing:
        raise UsageError(
            f"{start.source} is a {start.name}, whose backbone differs from the one to be trained "
            f"in {len(differing)} tensors, the first {', '.join(differing[:3])}; leave --init out, "
            "or give weights of this job (generate and translate have backbones of their own)"
        )
    task.load_state_dict(tensors, strict=False)


def _reads_clips(model: ModelConfig) -> bool:
    return isinstance(model, VitConfig) and model.tubelet_size > 1


def _for_clips(preprocess: Preprocess, model: ModelConfig) -> Preprocess:
    """With as many frames as the weights have positions for, where they read clips."""
    if not isinstance(model, VitConfig) or model.tubelet_size == 1:
        return preprocess
    return replace(preprocess, num_frames=model.position_grid[0] * model.tubelet_size)


def _initialise_classifier(task: Classify, start: Start, *, has_new_head: bool) -> None:
    """The same for one classifier from another; kept rows follow their classes' names."""
    tensors = dict(start.tensors)
    own = task.state_dict()
    tensors |= {name: value for name, value in own.items() if name.startswith(LESSON)}
    maps = [name for name in own if name.startswith(CLASS_MAPS)]
    for name in maps:
        if has_new_head:
            tensors[name] = own[name]
        else:
            order = [start.class_names.index(each) for each in task.class_names]
            tensors[name] = tensors[name][order]
    task.load_state_dict(tensors)


def _of_run(run: RunFolder) -> Start:
    config = from_json(RunConfig, read_json(run.config))
    contract = load_contract(run.contract)
    task = build_task(config, class_names=contract.class_names, preprocess=contract.preprocess)
    load_weights(run.weights, task)
    tensors = {k: v for k, v in task.state_dict().items() if not k.startswith(LESSON)}
    if config.job == "classify" and not contract.class_names:  # converted, without a head
        tensors = {k: v for k, v in tensors.items() if not k.startswith(CLASS_MAPS)}
    return Start(
        source=str(run.path),
        library=SACCADE,
        architecture=contract.model_name,
        model=config.model,
        class_names=contract.class_names,
        preprocess=contract.preprocess,
        licence=contract.licence,
        tensors=tensors,
        notes=(),
        job=config.job,
    )
