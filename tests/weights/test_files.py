"""Weights are opened without running what is in them; what cannot be opened is refused by name."""

import json
import pickle
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from saccade.errors import DataError, UsageError
from saccade.weights.files import open_weights
from tests.weights.theirs import save_arrays


def tensors() -> dict[str, torch.Tensor]:
    return {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4)}


def write_model(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    save_file(tensors(), folder / "model.safetensors")
    return folder


def test_a_file_and_its_folder_hold_the_same(tmp_path: Path) -> None:
    folder = write_model(tmp_path)

    from_folder, from_file = open_weights(folder), open_weights(folder / "model.safetensors")

    assert from_folder.tensors.keys() == {"a", "b"}
    for name, tensor in tensors().items():
        assert torch.equal(from_folder.tensors[name], tensor)
        assert torch.equal(from_file.tensors[name], tensor)


def test_what_stands_beside_the_weights_is_read_with_them(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    (folder / "config.json").write_text('{"architecture": "x"}')
    (folder / "preprocessor_config.json").write_text('{"do_resize": true}')
    (folder / "README.md").write_text("---\ntags:\n- a\nlicense: apache-2.0\n---\n# A model\n")

    found = open_weights(folder / "model.safetensors")

    assert found.config == {"architecture": "x"}
    assert found.preprocessor == {"do_resize": True}
    assert found.licence == "apache-2.0"


@pytest.mark.parametrize("readme", ["# license: mit\n", "---\ntags: x\n---\nlicense: mit\n", ""])
def test_a_licence_counts_only_in_the_front_matter(readme: str, tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    (folder / "README.md").write_text(readme)

    assert open_weights(folder).licence == "not stated"


def test_the_parts_of_a_sharded_model_are_put_together(tmp_path: Path) -> None:
    write_shards(tmp_path)

    assert open_weights(tmp_path).tensors.keys() == {"a", "b"}


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    write_shards(tmp_path)
    (tmp_path / "part-2.safetensors").unlink()

    with pytest.raises(DataError, match=r"1 of 2 parts are missing: part-2\.safetensors"):
        open_weights(tmp_path)


def test_an_index_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "../secret.safetensors"}}')

    with pytest.raises(DataError, match="have to stand beside it"):
        open_weights(tmp_path)


def write_shards(folder: Path) -> None:
    parts = {"a": "part-1.safetensors", "b": "part-2.safetensors"}
    for name, part in parts.items():
        save_file({name: tensors()[name]}, folder / part)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))


def test_an_npz_of_numbers_is_read(tmp_path: Path) -> None:
    save_arrays(tmp_path / "w.npz", {name: each.numpy() for name, each in tensors().items()})

    found = open_weights(tmp_path / "w.npz")

    assert found.kind == "npz"
    assert torch.equal(found.tensors["a"], tensors()["a"])


class Bomb:
    """Unpickling it is noticed."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (sys.exit, ("it was run",))


def test_an_npz_of_objects_is_refused_and_not_run(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", a=np.array([Bomb()], dtype=object))

    with pytest.raises(DataError, match="Python objects would run code"):
        open_weights(tmp_path / "w.npz")


@pytest.mark.parametrize("name", ["w.pth", "w.pt", "w.bin", "w.safetensors", "w.npz", "w"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_is_refused_whatever_its_name(name: str, protocol: int, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(Bomb(), protocol=protocol))

    with pytest.raises(UsageError, match="is a pickle"):
        open_weights(tmp_path / name)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors", "w.npz"])
def test_a_zipped_pickle_is_refused_whatever_its_name(name: str, tmp_path: Path) -> None:
    torch.save(tensors(), tmp_path / name)

    with pytest.raises(UsageError, match="is a pickle"):
        open_weights(tmp_path / name)


def test_a_folder_with_only_a_pickle_says_so(tmp_path: Path) -> None:
    torch.save(tensors(), tmp_path / "pytorch_model.bin")

    with pytest.raises(UsageError, match=r"pytorch_model\.bin is a pickle"):
        open_weights(tmp_path)


def test_the_conversion_that_the_message_gives_works(tmp_path: Path) -> None:
    path = tmp_path / "it's mine.pth"
    torch.save({"model": tensors(), "epoch": 3}, path)
    with pytest.raises(UsageError) as refused:
        open_weights(path)

    line = re.search(r"^  (python -c .*)$", str(refused.value), re.MULTILINE)
    assert line is not None
    _, *arguments = shlex.split(line[1])
    subprocess.run([sys.executable, *arguments], check=True, timeout=120)

    assert load_file(path.with_suffix(".safetensors")).keys() == {"a", "b"}


def test_a_safetensors_file_whose_header_begins_like_a_pickle_is_read(tmp_path: Path) -> None:
    # A header of 0x0480 bytes: the file begins with 80 04, as a pickle of protocol 4 does.
    path = tmp_path / "w.safetensors"
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.ljust(0x0480)
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0\0\0")

    assert open_weights(path).tensors["a"].tolist() == [0.0]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_that_is_cut_short_is_refused(share: float, tmp_path: Path) -> None:
    path = write_model(tmp_path) / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])

    with pytest.raises(DataError, match=r"no complete safetensors file"):
        open_weights(path)


def test_an_archive_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    np.savez(path, a=np.ones(1000))
    path.write_bytes(path.read_bytes()[:2000])

    with pytest.raises(DataError, match=r"cannot be read as an \.npz"):
        open_weights(path)


def test_an_archive_of_other_things_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")

    with pytest.raises(DataError):
        open_weights(path)


@pytest.mark.parametrize("name", ["w.onnx", "w.h5", "w.msgpack", "w.txt"])
def test_a_file_of_another_kind_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"anything at all")

    with pytest.raises(UsageError, match=r"Expected \.safetensors, \.npz, a folder"):
        open_weights(tmp_path / name)


def test_a_path_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    write_model(tmp_path)

    with pytest.raises(UsageError, match=r"did you mean 'model\.safetensors'"):
        open_weights(tmp_path / "modle.safetensors")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist, nor does the folder"):
        open_weights(tmp_path / "no" / "model.safetensors")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no weights. Expected model\.safetensors"):
        open_weights(tmp_path)


def test_several_files_without_a_name_to_choose_by_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_file(tensors(), tmp_path / f"{name}.safetensors")

    with pytest.raises(UsageError, match=r"several files of weights \(one.*, two.*\)"):
        open_weights(tmp_path)


def test_an_empty_file_of_tensors_is_refused(tmp_path: Path) -> None:
    save_file({}, tmp_path / "w.safetensors")

    with pytest.raises(DataError, match="holds no tensors"):
        open_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize("text", ["{", "[1, 2]", "\ud800".encode("utf-8", "surrogatepass")])
def test_a_damaged_config_is_named(text: str | bytes, tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    (folder / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(DataError, match=r"config\.json"):
        open_weights(folder)
