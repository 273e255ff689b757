"""The hub's own client fetches the few files needed, keeps them, and says why when it cannot."""

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from saccade.errors import UsageError
from saccade.weights.hub import download

REPOSITORY = Path(__file__).resolve().parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"

SMALL = {"config.json": b"{}", "model.safetensors": b"weights", "README.md": b"---\n---\n"}
SHARDED = {
    "config.json": b"{}",
    "model.safetensors.index.json": json.dumps(
        {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    ).encode(),
    "model-1.safetensors": b"one",
    "model-2.safetensors": b"two",
    "model-3.safetensors": b"not named by the index",
}
MODELS = {
    "owner/small": SMALL | {"pytorch_model.bin": b"a pickle", "tf_model.h5": b"another"},
    "owner/sharded": SHARDED,
    "owner/pickled": {"config.json": b"{}", "pytorch_model.bin": b"a pickle"},
    "owner/sly": {
        "config.json": b"{}",
        "model.safetensors.index.json": b'{"weight_map": {"a": "pytorch_model.bin"}}',
        "pytorch_model.bin": b"a pickle",
    },
}


class Hub(http.server.ThreadingHTTPServer):
    """The part of the hub that gives files away; notes what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fetched: list[str] = []
        self.revisions: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        content = self._answer()
        if content is not None:
            self.wfile.write(content)
            assert isinstance(self.server, Hub)
            *_, revision, file = self.path.split("/")
            self.server.fetched.append(file)
            self.server.revisions.append(revision)

    def _answer(self) -> bytes | None:
        parts = self.path.lstrip("/").split("/")
        name = "/".join(parts[:2])
        if name not in MODELS:
            return self._refuse("RepoNotFound")
        if parts[2:3] != ["resolve"] or parts[3] not in ("main", "v2", COMMIT):
            return self._refuse("RevisionNotFound")
        content = MODELS[name].get(parts[4])
        if content is None:
            return self._refuse("EntryNotFound")
        self.send_response(200)
        self.send_header("ETag", f'"{name}/{parts[4]}"'.replace("/", "-"))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content

    def _refuse(self, code: str) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def fetch(
    source: str, *, cache: Path, hub: Hub | None, is_offline: bool = False
) -> tuple[str, str]:
    """The folder that ``download`` names in a process of its own, and the message if it fails.

    The client reads its environment once, when it is imported.
    """
    program = (
        "import sys\n"
        "from saccade.errors import SaccadeError\n"
        "from saccade.weights.hub import download\n"
        "try:\n    print(download(sys.argv[1]))\n"
        "except SaccadeError as error:\n    sys.exit(str(error))\n"
    )
    environment = os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port if hub else 9}",
        "HF_HOME": str(cache),
        "HF_HUB_OFFLINE": "1" if is_offline else "0",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "*",
    }
    done = subprocess.run(
        [sys.executable, "-c", program, source],
        check=False,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env=environment,
        timeout=120,
    )
    return done.stdout.strip(), done.stderr


pytest.importorskip("huggingface_hub", reason="needs the client: pip install saccade[hub]")


def test_only_the_files_needed_are_fetched_and_no_pickle(hub: Hub, tmp_path: Path) -> None:
    folder, errors = fetch("hf://owner/small", cache=tmp_path, hub=hub)

    assert sorted(hub.fetched) == ["README.md", "config.json", "model.safetensors"], errors
    assert (Path(folder) / "model.safetensors").read_bytes() == b"weights"


def test_a_sharded_model_comes_with_the_parts_its_index_names(hub: Hub, tmp_path: Path) -> None:
    folder, errors = fetch("hf://owner/sharded@v2", cache=tmp_path, hub=hub)

    assert "model-3.safetensors" not in hub.fetched
    assert (Path(folder) / "model-2.safetensors").read_bytes() == b"two", errors


def test_all_files_come_from_the_commit_of_the_first(hub: Hub, tmp_path: Path) -> None:
    fetch("hf://owner/small", cache=tmp_path, hub=hub)

    assert hub.fetched[0] == "config.json"
    assert set(hub.revisions[1:]) == {COMMIT}


def test_what_was_fetched_once_is_found_offline(hub: Hub, tmp_path: Path) -> None:
    online, _ = fetch("hf://owner/small", cache=tmp_path, hub=hub)

    offline, errors = fetch("hf://owner/small", cache=tmp_path, hub=None, is_offline=True)

    assert offline == online != "", errors


def test_a_name_that_is_not_in_the_cache_is_refused_offline(tmp_path: Path) -> None:
    _, message = fetch("hf://owner/small", cache=tmp_path, hub=None, is_offline=True)

    assert "hf://owner/small is not in the cache" in message
    assert "HF_HUB_OFFLINE is set" in message


def test_a_hub_that_gives_no_answer_is_an_error_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The real client says so too, after trying again for some twenty seconds.
    import huggingface_hub  # noqa: PLC0415  an extra

    def silent(*arguments: object, **options: object) -> str:
        raise huggingface_hub.errors.LocalEntryNotFoundError("no connection")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", silent)

    with pytest.raises(UsageError, match="cannot be fetched: the hub gives no answer: no conn"):
        download("hf://owner/small")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("hf://owner/nothing", "knows no such model"),
        ("hf://owner/small@v9", "knows no such revision"),
        ("hf://owner/pickled", "has no model.safetensors"),
        ("hf://owner/sly", "only .safetensors files are fetched"),
    ],
)
def test_what_is_not_there_is_said(source: str, message: str, hub: Hub, tmp_path: Path) -> None:
    _, errors = fetch(source, cache=tmp_path, hub=hub)

    assert message in errors
    assert "pytorch_model.bin" not in hub.fetched


@pytest.mark.parametrize("source", ["hf://small", "hf://a/b/c", "hf://a/b@", "hf://../etc/x"])
def test_a_name_of_another_form_is_refused(source: str) -> None:
    with pytest.raises(UsageError, match="expected hf://owner/name"):
        download(source)


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)

    with pytest.raises(UsageError, match=r"pip install saccade\[hub\]"):
        download("hf://owner/name")
