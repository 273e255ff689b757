"""Pictures and edited copies of them, for the benchmark ``copies``."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from benchmarks.harness import shared_data

NUM_CIFAR, NUM_SIGNS = 1336, 300  # with 320 facades and 44 photographs: 2,000
NUM_BACKGROUND = 1000
NUM_TRAINING = 10_000

Edit = Callable[[Image.Image, np.random.Generator], Image.Image]


def gallery() -> list[Image.Image]:
    """2,000 pictures of four kinds and many sizes, from 32 to 500 pixels a side."""
    facades = [picture.crop((0, 0, 256, 256)) for picture in _zipped("facades", "facades_pairs")]
    photos = list(_zipped("imagenet_samples", "imagenet_samples"))
    cifar = cifar_pictures("test")[:: 10_000 // NUM_CIFAR][:NUM_CIFAR]
    signs = _signs()[:NUM_SIGNS]
    found = [*cifar, *signs, *facades, *photos]
    assert len(found) == 2000, len(found)
    return [picture.convert("RGB") for picture in found]


def training() -> list[Image.Image]:
    """10,000 pictures that a model may learn from; none is in the gallery."""
    cifar = cifar_pictures("train")[:: 50_000 // (NUM_TRAINING - 1500)][: NUM_TRAINING - 1500]
    return [*cifar, *_signs()[NUM_SIGNS : NUM_SIGNS + 1500]]


def background() -> list[Image.Image]:
    """Pictures that are neither in the gallery nor learned from."""
    return cifar_pictures("train")[2 :: 50_000 // NUM_BACKGROUND][:NUM_BACKGROUND]


def jpeg(picture: Image.Image, rng: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """JPEG at quality 30."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=30)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def crop(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A window with 70 % of the area, anywhere."""
    return _window(picture, rng, side=0.7**0.5)


def hard_crop(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A window with 70 % of each side, half of the area, anywhere."""
    return _window(picture, rng, side=0.7)


def resize(picture: Image.Image, rng: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """Half of each side."""
    half = (max(1, picture.width // 2), max(1, picture.height // 2))
    return picture.resize(half, Image.Resampling.BILINEAR)


def rotate(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """5 degrees one way or the other; the corners become black."""
    return picture.rotate(float(rng.choice([-5, 5])), Image.Resampling.BICUBIC)


def colour(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Brightness, contrast and saturation, each by up to 30 %."""
    for kind in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = kind(picture).enhance(rng.uniform(0.7, 1.3))
    return picture


def blur(picture: Image.Image, rng: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """A Gaussian as wide as 2 % of the picture."""
    return picture.filter(ImageFilter.GaussianBlur(0.02 * min(picture.size)))


def text(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A word across a third of the picture."""
    picture = picture.copy()
    font = ImageFont.load_default(max(8, picture.height / 4))
    top = rng.uniform(0.05, 0.7) * picture.height
    ImageDraw.Draw(picture).text((0.05 * picture.width, top), "SAMPLE", fill="white", font=font)
    return picture


def flip(picture: Image.Image, rng: np.random.Generator) -> Image.Image:  # noqa: ARG001
    """The mirror image."""
    return ImageOps.mirror(picture)


MILD: dict[str, Edit] = {
    "jpeg": jpeg,
    "crop": crop,
    "resize": resize,
    "rotate": rotate,
    "colour": colour,
    "blur": blur,
}

OTHERS: dict[str, Edit] = {"hard_crop": hard_crop, "text": text, "flip": flip}


def all_judged() -> dict[str, list[Image.Image]]:
    """The gallery, each edit of it, and the background; edits are the same every time."""
    pictures = gallery()
    found = {"gallery": pictures, "background": background()}
    for seed, (name, edit) in enumerate((MILD | OTHERS).items()):
        rng = np.random.default_rng(seed)
        found[name] = [edit(picture, rng) for picture in pictures]
    return found


def write_all(root: Path) -> None:
    """The same, a folder each."""
    for name, pictures in all_judged().items():
        write(pictures, root / name)


def write(pictures: list[Image.Image], folder: Path) -> Path:
    """Pictures as PNG files that are called by their numbers."""
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number:05d}.png", compress_level=1)
    return folder


def difference_hash(picture: Image.Image) -> np.ndarray:
    """A perceptual hash, as a vector of 256 signs: is each of 16 x 16 cells brighter than the next.

    The product of two is 256 less twice the number of bits in which they differ.
    """
    small = picture.convert("L").resize((17, 16), Image.Resampling.BILINEAR)
    cells = np.asarray(small, dtype=np.int16)
    return np.where(cells[:, 1:] > cells[:, :-1], 1, -1).ravel().astype(np.float32) / 16


def tiny_pixels(picture: Image.Image) -> np.ndarray:
    """32 x 32 pixels without their mean, at unit length."""
    small = np.asarray(picture.resize((32, 32), Image.Resampling.BILINEAR), dtype=np.float32)
    vector = small.ravel() - small.mean()
    return vector / max(float(np.linalg.norm(vector)), 1e-6)


def cifar_pictures(part: str) -> list[Image.Image]:
    """One split of CIFAR-10, class after class."""
    found: list[tuple[str, Image.Image]] = []
    with tarfile.open(shared_data("cifar10") / "cifar10_jpg.tar.xz", "r|xz") as archive:
        for member in archive:
            if member.name.startswith(f"{part}/") and member.isfile():
                file = archive.extractfile(member)
                assert file is not None
                found.append((member.name, _opened(file.read())))
    return [picture for _, picture in sorted(found, key=lambda pair: pair[0])]


def _window(picture: Image.Image, rng: np.random.Generator, *, side: float) -> Image.Image:
    width, height = round(side * picture.width), round(side * picture.height)
    left = int(rng.integers(picture.width - width + 1))
    top = int(rng.integers(picture.height - height + 1))
    return picture.crop((left, top, left + width, top + height))


def _signs() -> list[Image.Image]:
    """Sign-language digits in an order that mixes the classes; the three huge ones left out."""
    found = [each for each in _zipped("sign_digits", "*") if max(each.size) < 1000]
    return [found[i] for i in np.random.default_rng(0).permutation(len(found))]


def _zipped(name: str, archive: str) -> Iterator[Image.Image]:
    (path,) = shared_data(name).glob(f"{archive}.zip")
    with zipfile.ZipFile(path) as file:
        for member in sorted(file.namelist()):
            if member.lower().endswith((".jpg", ".jpeg")):
                yield _opened(file.read(member))


def _opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")
