"""embed: a model and pictures -> a vector for each of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from saccade.data.samples import Source, count
from saccade.data.sources import open_source
from saccade.errors import UsageError, nearest
from saccade.jobs.find import find_job
from saccade.serving.engine import Engine
from saccade.serving.features import EmbeddingPool
from saccade.serving.load import load_engine
from saccade.serving.search.embedding import embed_source
from saccade.serving.search.vectors import VectorFolder
from saccade.verbs.readable import require_any_readable
from saccade.verbs.voice import Voice


@dataclass(frozen=True, kw_only=True)
class EmbedResult:
    """What was embedded.

    Attributes:
        run: the model, as it was named.
        out: the folder with ``vectors.npy`` and ``items.parquet``, row by row the same pictures.
        n: pictures, and rows.
        embed_dim: numbers in a vector.
        num_errors: pictures that could not be read: zeros in their row, the reason in their item.
        model: a hash of the model; vectors of two models cannot be compared.
    """

    run: str
    out: Path
    n: int
    embed_dim: int
    num_errors: int
    model: str


def embed(
    run: str | Path,
    source: str | Path,
    out: str | Path,
    *,
    pool: str = "auto",
    resume: bool = False,
    device: str | None = None,
    is_quiet: bool = False,
) -> EmbedResult:
    """Makes a vector of unit length for every picture, in constant memory.

    Args:
        run: the run folder of any job, or weights of another library; see ``load``.
        source: pictures, with or without classes; of all its splits.
        out: a folder to make; one that exists is refused, unless ``resume``.
        pool: ``auto``: what the job's own answer is read from; ``class``: the class token;
            ``mean`` or ``gem``: over the patches, all alike or the strongest most; ``quarters``:
            four means, which find copies better and mirror images worse.
        resume: go on after a kill; what is there already is not computed again.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such model or source, a folder in the way, or one that was begun with others.
        DataError: none of the pictures can be read.
    """
    voice = Voice(is_quiet=is_quiet)
    chosen = parse_pool(pool)
    engine = load_engine(run, device=device)
    for note in engine.notes:
        voice.say(note)
    pictures = open_pictures_for(engine, source)
    voice.head(pictures.describe()[0])
    manifest = embed_source(
        engine,
        pictures,
        VectorFolder(out),
        run=str(run),
        pool=chosen,
        is_resumed=resume,
        progress=voice.counting("embedded"),
    )
    if manifest.num_errors:
        unreadable = count(manifest.num_errors, pictures.noun)
        voice.say(f"{unreadable} could not be read; items.parquet says why")
    require_any_readable(
        manifest.num_errors, manifest.n, noun=pictures.noun, why=f"{out}/items.parquet says why"
    )
    return EmbedResult(
        run=str(run),
        out=Path(out),
        n=manifest.n,
        embed_dim=manifest.embed_dim,
        num_errors=manifest.num_errors,
        model=manifest.made.model,
    )


def parse_pool(name: str) -> EmbeddingPool:
    """A pool by its name.

    Raises:
        UsageError: there is none of that name.
    """
    known: tuple[EmbeddingPool, ...] = get_args(EmbeddingPool)
    for pool in known:
        if pool == name:
            return pool
    raise UsageError(f"there is no pool {name!r}; {nearest(name, known)}")


def open_pictures_for(engine: Engine, source: str | Path) -> Source:
    """A source whose pictures a model can embed; labels are welcome and not needed.

    Raises:
        UsageError: there is nothing at the path.
        DataError: it holds nothing that the model reads.
    """
    if engine.preprocess.num_frames > 1:  # clips: what they lie in, only their job knows
        return find_job(engine.job).open(source)
    return open_source(source)
