"""Pictures go into the page unchanged, and only pictures of the run do."""

import base64
import io
from pathlib import Path

from PIL import Image

from saccade.reporting.pictures import inline_picture, inline_png


def png(*, width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def test_the_bytes_come_back_out_of_the_address():
    data = png(width=60, height=20)
    picture = inline_png(data)
    assert picture is not None
    assert base64.b64decode(picture.uri.removeprefix("data:image/png;base64,")) == data
    assert (picture.width, picture.height) == (60, 20)


def test_only_small_pictures_are_pixel_art():
    shown = [inline_png(png(width=side, height=9)) for side in (28, 47, 48, 224)]
    assert [picture.is_pixel_art for picture in shown if picture] == [True, True, False, False]


def test_nothing_outside_the_run_is_read(tmp_path: Path):
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "secret.png").write_bytes(png(width=8, height=8))
    (run / "link.png").symlink_to(tmp_path / "secret.png")
    assert inline_picture(run, "../secret.png") is None
    assert inline_picture(run, str(tmp_path / "secret.png")) is None
    assert inline_picture(run, "link.png") is None


def test_missing_and_other_files_are_no_pictures(tmp_path: Path):
    (tmp_path / "a.png").write_text("<svg onload=alert(1)>" * 3)
    assert inline_picture(tmp_path, "a.png") is None
    assert inline_picture(tmp_path, "b.png") is None
    assert inline_picture(tmp_path, None) is None
