"""An embedder, ready to answer in Python."""

from collections.abc import Iterator, Sequence

import torch

from saccade.attribution.methods import Method, default_methods, heat
from saccade.data.samples import Samples
from saccade.data.sources import Paths, open_pictures
from saccade.errors import UsageError
from saccade.serving.engine import Engine
from saccade.serving.explanation import Answer, Explanation, class_asked, explain_batch
from saccade.serving.features import Embeddings, embed
from saccade.tasks.embed import Embed


class Embedder:
    """A model trained to bring pictures of one class together; ``saccade.load`` makes one.

    Args:
        engine: an embedder with its weights.
    """

    def __init__(self, engine: Engine[Embed]) -> None:
        self.engine = engine

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that it was trained to tell apart; it embeds pictures of others too."""
        return self.engine.class_names

    def embed(self, inputs: Paths) -> Embeddings:
        """Pictures, or folders of them, as vectors of unit length, to compare them by.

        Raises:
            UsageError: a path does not exist.
        """
        return embed(
            self.engine.task,
            self.engine.loader(open_pictures(inputs)),
            device=self.engine.device,
            precision=self.engine.precision,
        )

    def explain(
        self,
        inputs: Paths,
        *,
        methods: Sequence[Method] = (),
        label: str | None = None,
    ) -> Iterator[Explanation]:
        """What brings a picture near a class, or makes its vector what it is.

        Pictures that cannot be read are left out.

        Args:
            inputs, methods: see ``Model.explain``, for what is raised too.
            label: the class to explain; None: the nearest one, or the vector itself where the model
                learned without classes.
        """
        yield from self.explain_samples(open_pictures(inputs), methods=methods, label=label)

    def explain_samples(
        self, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Explains pictures of a source; see ``explain``."""
        if isinstance(self.engine.task, Embed):
            yield from _explain_classes(self.engine, samples, methods=methods, label=label)
        else:
            yield from _explain_vectors(self.engine, samples, methods=methods, label=label)


def _explain_classes(
    engine: Engine[Embed], samples: Samples, *, methods: Sequence[Method], label: str | None
) -> Iterator[Explanation]:
    asked_class = class_asked(engine, label)
    for batch in engine.loader(samples).batches():
        cosines = engine.answer(batch) @ engine.task.head.class_directions().detach().T
        best = cosines.argmax(dim=1).cpu()
        asked = best if asked_class is None else torch.full_like(best, asked_class)
        answers = [
            Answer(engine.class_names[label], float(cosine[label]))
            for label, cosine in zip(best.tolist(), cosines, strict=True)
        ]
        names = [samples.pictures.name(i) for i in batch.ids.tolist()]
        yield from explain_batch(
            engine, batch, names, methods=methods, asked=asked, answers=answers
        )


def _explain_vectors(
    engine: Engine, samples: Samples, *, methods: Sequence[Method], label: str | None
) -> Iterator[Explanation]:
    if label is not None:
        raise UsageError(
            f"a pretrained model knows no classes, so none such as {label!r} can be explained; "
            "leave --label out to explain the vector"
        )
    for batch in engine.loader(samples).batches():
        images = batch.images.to(engine.device)
        nothing = torch.zeros(len(batch), dtype=torch.int64, device=engine.device)
        heats = {
            method: heat(engine.task, images, nothing, method=method).cpu().numpy()
            for method in methods or default_methods(engine.task)
        }
        for k, i in enumerate(batch.ids.tolist()):
            yield Explanation(
                path=samples.pictures.name(i),
                image=batch.images[k].numpy(),
                asked="the vector",
                answer=Answer(None, None),
                heats={method: found[k] for method, found in heats.items()},
            )
