"""The wheel carries all that saccade needs to run, and nothing else, away from its source tree."""

import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([*command], check=False, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def package_files() -> set[str]:
    """Every file of the package in the source tree, code and data, relative to the repository."""
    files = (p for p in (REPOSITORY / "saccade").rglob("*") if p.is_file())
    return {f.relative_to(REPOSITORY).as_posix() for f in files if "__pycache__" not in f.parts}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel, the wheel built from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    # The module is run from elsewhere: a build/ folder in the checkout would hide the tool's name.
    run(
        *(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, REPOSITORY),
        cwd=folder,
    )
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment's bin folder where saccade is the wheel and the rest comes from this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    bin_folder = folder / "bin"
    run(
        *(sys.executable, "-m", "pip", "--python", bin_folder / "python", "install"),
        *("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", wheel),
        cwd=folder,
    )
    # Only after the install: pip must not find this environment's own saccade. A folder named in a
    # .pth file has its own .pth files ignored, so an editable saccade stays out of sight as well.
    (site_packages,) = folder.glob("lib/python*/site-packages")
    theirs = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site_packages / "borrowed.pth").write_text("\n".join(sorted(theirs)), encoding="utf-8")
    return bin_folder


def test_the_wheel_holds_the_package_and_only_the_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {n for n in names if ".dist-info/" not in n} == package_files()
    assert "saccade/py.typed" in names


def test_the_wheel_carries_the_page_templates(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert [n for n in names if n.endswith((".html", ".j2", ".jinja"))]


def test_the_wheel_states_licence_and_requirements(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata_name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = archive.read(metadata_name).decode()
        licences = [n for n in archive.namelist() if n.endswith("licenses/LICENSE")]

    required = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, re.MULTILINE)
    assert sorted(required) == sorted(d.partition(">=")[0] for d in PROJECT["dependencies"])
    assert "License-Expression: Apache-2.0" in metadata
    assert licences


def test_the_sdist_can_be_checked_by_whoever_gets_it(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert package_files() <= names
    assert {"LICENSE", "README.md", "Makefile", "constraints.txt", "tests/conftest.py"} <= names
    assert not [name for name in names if name.startswith(("benchmarks", ".venv", "dist"))]


def test_the_installed_command_tells_its_version(installed: Path, tmp_path: Path) -> None:
    (wheel_version,) = installed.parent.glob("lib/python*/site-packages/saccade-*.dist-info")
    version = wheel_version.name.removeprefix("saccade-").removesuffix(".dist-info")

    assert version in run(installed / "saccade", "--version", cwd=tmp_path)


def test_the_installed_package_is_the_wheel_not_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    where = "import saccade; print(saccade.__file__)"

    path = Path(run(installed / "python", "-c", where, cwd=tmp_path).strip())

    assert path.is_relative_to(installed.parent)


def test_the_installed_command_lists_models(installed: Path, tmp_path: Path) -> None:
    assert "vit-ti16" in run(installed / "saccade", "models", cwd=tmp_path)
