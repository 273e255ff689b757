"""A source with more than classes is recognised, and says what it is for."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saccade.data.annotated import guess_job, open_boxes, open_masks, open_pairs
from saccade.data.annotations import Boxes, Partner, Segments
from saccade.errors import DataError, UsageError

WritePictures = Callable[..., None]
XML = (
    "<annotation><size><width>9</width><height>7</height></size><object><name>dog</name><bndbox>"
    "<xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></object></annotation>"
)
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "height": 7, "width": 9}],
    "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 3, 3]}],
    "categories": [{"id": 1, "name": "dog"}],
}
TREES: dict[str, tuple[str | None, dict[str, str]]] = {
    "coco": ("detect", {"images/a.jpg": "", "annotations/instances_train.json": json.dumps(COCO)}),
    "voc": ("detect", {"JPEGImages/a.jpg": "", "Annotations/a.xml": XML}),
    "yolo": (
        "detect",
        {"images/a.jpg": "", "labels/a.txt": "0 0.5 0.5 0.1 0.1", "classes.txt": "dog"},
    ),
    "masks": ("segment", {"images/a.jpg": "", "masks/a.png": ""}),
    "pairs": ("translate", {"train/input/a.jpg": "", "train/target/a.jpg": ""}),
    "halves": ("translate", {"left-right/a.jpg": ""}),
    "frames": (
        "video",
        {
            f"{label}/c{k}/{t:03d}.jpg": ""
            for label in ("wave", "nod")
            for k in "12"
            for t in (0, 1)
        },
    ),
    "frames in splits": (
        "video",
        {
            f"{split}/wave/clip{clip}/{frame:03d}.jpg": ""
            for split in ("train", "test")
            for clip in (1, 2)
            for frame in (4, 5)
        },
    ),
    "video files": ("video", {"wave/1.mp4": "", "nod/2.mp4": ""}),
    "classes": ("classify", {"cat/1.jpg": "", "dog/1.jpg": "", "dog/2.jpg": ""}),
    "numbered classes in splits": (
        "classify",
        {
            f"{split}/{name}/{k}.jpg": ""
            for split in ("train", "test")
            for name in "ab"
            for k in (1, 2)
        },
    ),
    "numbered classes in a wrapper": (
        "classify",
        {f"photos/{name}/{k}.jpg": "" for name in "ab" for k in (1, 2)},
    ),
    "numbered classes in one folder each": (
        "classify",
        {f"{name}/batch/{k}.jpg": "" for name in "ab" for k in (1, 2)},
    ),
    "classes called as pairs may be": ("classify", {"a/1.jpg": "", "b/1.jpg": ""}),
    "plain": (None, {"1.jpg": "", "2.jpg": ""}),
    "arrays": ("classify", {"train-images-idx3-ubyte.gz": "x"}),
    "nothing": (None, {"notes.txt": "x"}),
}


@pytest.mark.parametrize("name", TREES)
def test_a_source_says_what_it_is_for(tmp_path: Path, write_pictures: WritePictures, name: str):
    job, tree = TREES[name]
    for path, text in tree.items():
        if text or path.endswith(".mp4"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        else:
            write_pictures(path)
    place = tmp_path / "left-right" if name == "halves" else tmp_path
    assert guess_job(place) == job


def test_files_say_it_by_their_endings(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.jpg")
    assert guess_job(tmp_path / "a.jpg") is None
    assert guess_job(tmp_path / "clip.mp4") == "video"
    assert guess_job(tmp_path / "digits.npz") == "classify"


@pytest.mark.parametrize("name", ["coco", "voc", "yolo"])
def test_boxes_are_found_in_each_form(tmp_path: Path, write_pictures: WritePictures, name: str):
    for path, text in TREES[name][1].items():
        if text:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        else:
            write_pictures(path)
    source = open_boxes(str(tmp_path))
    assert source.path == str(tmp_path)
    assert source.class_names == ("dog",)
    (samples,) = source.splits.values()
    assert samples.annotations is not None
    assert isinstance(samples.annotations.load(0), Boxes)


def test_a_missing_folder_is_answered_with_the_nearest(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    for opener in (open_boxes, open_masks, open_pairs):
        with pytest.raises(UsageError, match=r"phots does not exist; did you mean '.*photos'"):
            opener(tmp_path / "phots")


def test_a_file_is_answered_with_its_folder(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("a.jpg")
    with pytest.raises(UsageError, match="is a file; give the folder that holds pictures and"):
        open_boxes(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    ("opener", "message"),
    [
        (open_boxes, r"no boxes found. Give COCO \(pictures and annotations/instances_train.json"),
        (open_masks, "no masks found. Give two folders, images and masks"),
        (open_pairs, "no pairs of pictures found. Give two folders, input and target"),
    ],
)
def test_plain_pictures_are_refused_with_what_is_wanted(
    tmp_path: Path, write_pictures: WritePictures, opener: Callable[..., object], message: str
):
    write_pictures("1.jpg")
    with pytest.raises(DataError, match=message):
        opener(tmp_path)


def unpacked(archive: Path, tmp_path: Path, *starts: str) -> Path:
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.startswith(starts)]
        opened.extractall(tmp_path, names)
    return tmp_path


def test_real_blood_cells_have_their_official_splits(shared_data: Path, tmp_path: Path):
    source = open_boxes(unpacked(shared_data / "bccd" / "bccd_voc.zip", tmp_path, "BCCD/"))
    assert source.class_names == ("Platelets", "RBC", "WBC")
    assert {split: len(samples) for split, samples in source.splits.items()} == {
        "train": 205,
        "val": 87,
        "test": 72,
    }
    assert "4,886 objects: Platelets 361, RBC 4,153, WBC 372" in source.notes
    assert any("2 objects whose box has no area: left out" in note for note in source.notes)
    annotations = source.splits["test"].annotations
    assert annotations is not None
    for i in source.splits["test"].ids.tolist():
        boxes = annotations.load(i)
        assert isinstance(boxes, Boxes)
        assert boxes.boxes_xyxy.min() >= 0
        assert (boxes.boxes_xyxy <= [640, 480, 640, 480]).all()


def test_real_nuclei_are_instances(shared_data: Path, tmp_path: Path):
    starts = ("index.csv", "images/00", "labels/00")
    source = open_masks(unpacked(shared_data / "nuclei_dsb2018" / "nuclei.zip", tmp_path, *starts))
    assert source.kind == "pictures with masks of instances"
    assert source.class_names == ("object",)
    assert set(source.splits) <= {"train", "val", "test"}
    samples = source.splits["train"]
    assert samples.annotations is not None
    found = samples.annotations.load(int(samples.ids[0]))
    assert isinstance(found, Segments)
    assert np.unique(found.segments).tolist() == list(range(len(found.labels) + 1))
    picture = samples.pictures.load(int(samples.ids[0]), channels=3, min_side=None)
    assert picture.shape[:2] == found.segments.shape


def test_real_facades_are_photos_beside_labels(shared_data: Path, tmp_path: Path):
    starts = ("facades/test/1", "facades/train/1")
    source = open_pairs(
        unpacked(shared_data / "facades" / "facades_pairs.zip", tmp_path, *starts),
        pairs="right-left",
    )
    assert set(source.splits) == {"train", "test"}
    samples = source.splits["test"]
    assert samples.annotations is not None
    found = samples.annotations.load(int(samples.ids[0]))
    assert isinstance(found, Partner)
    assert found.image.shape == (256, 256, 3)
    # The label half, which is the input here, has few colours; the photograph has many.
    colours = [
        len(np.unique(each.reshape(-1, 3) // 32, axis=0))
        for each in (
            samples.pictures.load(int(samples.ids[0]), channels=3, min_side=None),
            found.image,
        )
    ]
    assert colours[0] != colours[1]


def test_a_stray_video_among_pictures_does_not_make_it_a_source_of_clips(
    tmp_path: Path, write_pictures: WritePictures
):
    write_pictures("cat/1.jpg", "cat/2.jpg", "dog/1.jpg")
    (tmp_path / "dog" / "1.mov").write_bytes(b"")
    assert guess_job(tmp_path) == "classify"
