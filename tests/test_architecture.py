"""The tree stays readable: small files, honest names, a test for each module, a cheap import."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "saccade"

MAX_LINES = 300
LONG_FILES: set[str] = set()  # a longer file is named here, with the reason in its review
LINE_BUDGET = 50_000  # all of saccade/; a change that needs more raises this on purpose

FORBIDDEN_NAMES = {"utils", "common", "core", "base", "helpers"}

# Modules with nothing to test on their own, each with the reason.
NO_TEST_NEEDED = {
    "version.py": "one number, checked where the wheel is built",
    "cli/options.py": "annotations that every command is tested with",
    "run/watcher.py": "a protocol",
    "tasks/task.py": "a protocol",
}

# What must not be loaded before a verb needs it: each costs from tenths of a second to seconds.
HEAVY = ["matplotlib", "numpy", "pyarrow", "scipy", "sklearn", "torch"]


def python_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def num_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def modules() -> list[str]:
    """The paths inside saccade/ that a test file should mirror."""
    files = python_files(PACKAGE)
    return [relative(f, PACKAGE) for f in files if f.stem not in {"__init__", "__main__"}]


def mirror(module: str) -> Path:
    path = Path(module)
    return REPOSITORY / "tests" / path.parent / f"test_{path.name}"


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    files = python_files(PACKAGE) + python_files(REPOSITORY / "tests")
    long = {relative(f, REPOSITORY): num_lines(f) for f in files if num_lines(f) > MAX_LINES}

    assert set(long) == LONG_FILES, long


def test_the_package_stays_within_its_line_budget() -> None:
    total = sum(num_lines(f) for f in python_files(PACKAGE))

    assert total <= LINE_BUDGET


def test_no_module_or_room_has_a_name_that_says_nothing() -> None:
    names = {p.stem for p in PACKAGE.rglob("*") if p.suffix == ".py" or p.is_dir()}

    assert names & FORBIDDEN_NAMES == set()


def test_every_room_is_a_package() -> None:
    folders = {f.parent for f in python_files(PACKAGE)}
    bare = [relative(f, REPOSITORY) for f in folders if not (f / "__init__.py").exists()]

    assert bare == []


def test_every_module_has_a_test_file_in_the_same_place() -> None:
    untested = [m for m in modules() if m not in NO_TEST_NEEDED and not mirror(m).exists()]

    assert untested == []


def test_the_list_of_untested_modules_is_not_stale() -> None:
    stale = [m for m in NO_TEST_NEEDED if m not in modules() or mirror(m).exists()]

    assert stale == []


def test_every_test_file_opens_with_its_promise() -> None:
    tests = (REPOSITORY / "tests").rglob("test_*.py")
    silent = [relative(f, REPOSITORY) for f in tests if not docstring(f)]

    assert silent == []


def docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_the_readme_map_names_the_rooms_of_the_tree() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    rooms = {f.parent.name for f in PACKAGE.glob("*/__init__.py")}

    assert map_rooms(readme) == rooms


def map_rooms(readme: str) -> set[str]:
    """The folders in the README's code block that starts with the line ``saccade/``.

    Each line of the block is ``room/`` (or ``room/ | room/``), two spaces or more, and a sentence.
    """
    block = re.search(r"^```\w*\nsaccade/[^\n]*\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    assert block, "README.md has no code block that starts with the line 'saccade/'"
    cells = [re.split(r"\s{2,}", line.lstrip(" │├└─"))[0] for line in block[1].splitlines()]
    return {room for cell in cells for room in re.findall(r"([a-z_]+)/", cell)}


def test_a_readme_map_is_read_room_by_room() -> None:
    tree = "saccade/\n├── cli.py   the verbs/ in a row\n└── heads/ | losses/   one/other"
    readme = f"# Title\n\n```text\n{tree}\n```\n"

    assert map_rooms(readme) == {"heads", "losses"}


@pytest.mark.parametrize(
    "script",
    [
        "import saccade",
        "sys.argv = ['saccade', '--help']; runpy.run_module('saccade', run_name='__main__')",
    ],
    ids=["import", "help"],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(script: str) -> None:
    program = (
        "import runpy, sys\n"
        f"try:\n    {script}\nexcept SystemExit as stop:\n    assert not stop.code\n"
        f"loaded = [name for name in {HEAVY} if name in sys.modules]\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)\n"
    )
    command = [sys.executable, "-c", program]

    done = subprocess.run(command, check=False, cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
