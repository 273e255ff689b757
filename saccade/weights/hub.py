"""Fetches the files of a model from the Hugging Face hub: the few that are read, never a pickle.

The client is an extra and is imported here only. It keeps a cache, obeys ``HF_HUB_OFFLINE`` and
``HF_ENDPOINT``, and brings the user's own login.
"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from saccade.errors import DataError, UsageError

if TYPE_CHECKING:
    from types import ModuleType

HUB = "hf://"

_BESIDE = ("README.md", "preprocessor_config.json")
_NAME = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")


def download(source: str) -> Path:
    """The folder that holds a model's files, fetched now or before.

    Args:
        source: ``hf://owner/name``, or ``hf://owner/name@revision`` for a branch, tag or commit.

    Raises:
        UsageError: the client is not installed, the name is not one, there is no such model, it
            has no safetensors, or it is not in the cache while offline.
        DataError: the index of a sharded model is damaged.
    """
    found = _NAME.fullmatch(source.removeprefix(HUB))
    if found is None:
        raise UsageError(
            f"{source} names no model of the hub; expected {HUB}owner/name or "
            f"{HUB}owner/name@revision"
        )
    name, revision = found[1], found[2]
    client = _client()
    config = _fetch(client, source, name, "config.json", revision)
    if config is not None:
        # All further files come from the same commit, also if somebody pushes meanwhile.
        revision = config.parent.name
    weights = _fetch(client, source, name, "model.safetensors", revision)
    if weights is None:
        weights = _fetch(client, source, name, "model.safetensors.index.json", revision)
        if weights is None:
            raise UsageError(_no_safetensors(client, source))
        for part in _parts(weights):
            if _fetch(client, source, name, part, revision) is None:
                raise DataError(f"{source}: its index names {part}, and there is no such file")
    for beside in _BESIDE:
        _fetch(client, source, name, beside, revision)
    return weights.parent


def _client() -> "ModuleType":
    try:
        import huggingface_hub  # noqa: PLC0415  an extra, and slow to import
        import huggingface_hub.constants  # noqa: PLC0415
        import huggingface_hub.errors  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            f"names that begin with {HUB} need the hub's client: pip install saccade[hub]. Or "
            "download the model's folder yourself and give its path."
        ) from None
    return huggingface_hub


def _fetch(
    client: "ModuleType", source: str, name: str, file: str, revision: str | None
) -> Path | None:
    """One file, or None when the model does not have it."""
    errors = client.errors
    try:
        return Path(client.hf_hub_download(name, file, revision=revision))
    except errors.LocalEntryNotFoundError as error:
        # Offline, a file that the model lacks and one that was never fetched look the same. The
        # configuration decides: every model that was fetched before has one.
        if file != "config.json" and _is_offline(client):
            return None
        why = (
            "HF_HUB_OFFLINE is set" if _is_offline(client) else f"the hub gives no answer: {error}"
        )
        raise UsageError(
            f"{source} is not in the cache, and it cannot be fetched: {why}. Go online once, or "
            "give the path of a folder."
        ) from None
    except errors.EntryNotFoundError:
        return None
    except errors.GatedRepoError:
        raise UsageError(
            f"{source} is gated: accept its terms on its page, then log in with 'hf auth login'"
        ) from None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        what = "revision" if isinstance(error, errors.RevisionNotFoundError) else "model"
        raise UsageError(
            f"{source}: the hub knows no such {what}. Look at the spelling; a private model needs "
            "'hf auth login'."
        ) from None
    except (errors.HfHubHTTPError, errors.HFValidationError) as error:
        raise UsageError(f"{source} cannot be fetched: {error}") from None


def _is_offline(client: "ModuleType") -> bool:
    return bool(client.constants.HF_HUB_OFFLINE)


def _parts(index: Path) -> list[str]:
    """The files that a sharded model is kept in; each has to be a plain safetensors name."""
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise DataError(f"{index} is not the index of a sharded model: {error!r}") from None
    for name in names:
        if not re.fullmatch(r"[\w.-]+\.safetensors", name):
            raise DataError(f"{index} names {name!r}; only .safetensors files are fetched")
    return names


def _no_safetensors(client: "ModuleType", source: str) -> str:
    where = " in the cache (HF_HUB_OFFLINE is set)" if _is_offline(client) else ""
    return (
        f"{source} has no model.safetensors{where}. Weights kept only as a pickle "
        "(pytorch_model.bin) are not fetched, since opening one runs the code inside."
    )
