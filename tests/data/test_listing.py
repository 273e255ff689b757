"""A folder is listed whole, in natural order, and nothing in it can hang the listing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.listing import is_picture_name, list_folder, natural_key

WritePictures = Callable[..., None]


def test_numbers_in_names_are_compared_as_numbers():
    names = ["b", "10", "a10/1", "2", "A2/1", "a2/10", "a2/9", "1"]
    in_order = ["1", "2", "10", "A2/1", "a2/9", "a2/10", "a10/1", "b"]
    assert sorted(names, key=natural_key) == in_order


def test_the_order_is_total_and_does_not_depend_on_the_disk():
    names = ["x1", "X1", "x01", "x²", "x", "ä1", "1x", "x/1", "x 1", ""]
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


@pytest.mark.parametrize("name", ["a.jpg", "B.JPEG", "c.PNG", "d.webp", "e.tif", "f.ppm", "g.gif"])
def test_pictures_are_known_by_their_ending(name: str):
    assert is_picture_name(name)
    assert not is_picture_name(f"{name}.txt")


def test_pictures_folders_and_others_are_told_apart(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("b/10.png", "b/2.png", "a/x.jpg", "top.bmp")
    (tmp_path / "b" / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    listing = list_folder(tmp_path)
    assert listing.pictures == ("a/x.jpg", "b/2.png", "b/10.png", "top.bmp")
    assert listing.others == ("b/notes.txt",)
    assert listing.folders == ("a", "b", "empty")
    assert listing.ignored == ()


def test_hidden_and_system_entries_are_passed_over(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a/1.png", "__MACOSX/a/1.png", ".thumbs/1.png", "a/._1.png")
    (tmp_path / "a" / "Thumbs.db").write_bytes(b"")
    listing = list_folder(tmp_path)
    assert listing.pictures == ("a/1.png",)
    names = {entry.name for entry in listing.ignored}
    assert names == {"__MACOSX", ".thumbs", "a/._1.png", "a/Thumbs.db"}


def test_links_are_followed(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("real/1.png")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "file.png").symlink_to(tmp_path / "real" / "1.png")
    (tmp_path / "root" / "folder").symlink_to(tmp_path / "real")
    assert list_folder(tmp_path / "root").pictures == ("file.png", "folder/1.png")


def test_links_in_a_circle_end(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a/1.png", "b/2.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    (tmp_path / "a" / "to_b").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "to_a").symlink_to(tmp_path / "a")
    listing = list_folder(tmp_path)
    assert {"a/1.png", "b/2.png", "a/to_b/2.png", "b/to_a/1.png"} == set(listing.pictures)
    reasons = {entry.name: entry.reason for entry in listing.ignored}
    assert reasons["a/up/"] == "a link back to a folder above it"
    assert reasons["a/self"] == "neither a file nor a folder"


def test_pipes_and_dead_links_are_no_pictures(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "dead.jpg").symlink_to(tmp_path / "nothing")
    listing = list_folder(tmp_path)
    assert listing.pictures == ()
    assert {entry.name for entry in listing.ignored} == {"pipe.jpg", "dead.jpg"}
