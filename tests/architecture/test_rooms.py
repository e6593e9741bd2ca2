# SPDX-License-Identifier: MIT
"""The form of the house: six rooms, one direction, no hall closet."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("gateway", "dispatcher", "tracker", "normalizer", "channels", "config")
SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
FOLDERS = [
    path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*"))
    if path.is_dir() and path.name != "__pycache__"
]
LONGEST = 400
SAYS_WHY_IT_IS_LONG = "One room:"
NAMES_OF_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# --- Six rooms under one roof ---------------------------------------------------------------------


def test_six_rooms_resolve_under_one_parent_folder(tmp_path):
    """Another package named `channels` or `config`, installed beside us, would be found first."""
    program = (
        "from importlib.util import find_spec; from pathlib import Path\n"
        f"for room in {ROOMS}: print(Path(find_spec(room).origin).resolve().parents[1])"
    )
    # From a folder elsewhere, as an installed `guichet` command finds them.
    found = subprocess.run(
        [sys.executable, "-I", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(found.stdout.splitlines()) == {str(ROOT.resolve())}
    assert len(found.stdout.splitlines()) == len(ROOMS)


# --- One direction: every contract is kept, and every contract can be broken ----------------------

PLANTED = {
    "A room may look back along a complaint's way, never ahead": (
        "channels/planted.py",
        "import gateway",
    ),
    "Only the gateway reads config, and hands values down": (
        "dispatcher/planted.py",
        "import config",
    ),
    "Config knows no room": ("config/planted.py", "import channels"),
    "No channel knows another": ("channels/sms/planted.py", "import channels.mail"),
    "Web framework, queue and command line stay in the gateway": (
        "tracker/planted.py",
        "from rq import Queue",
    ),
    "Channels and normalizer know no database": ("normalizer/planted.py", "import sqlalchemy"),
    "No import circle inside a room": ("gateway/planted.py", "import gateway.planted_too"),
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copied_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    return folder


@pytest.fixture(scope="module")
def verdict_before(copied_house) -> subprocess.CompletedProcess[str]:
    return lint_imports(copied_house)


@pytest.fixture(scope="module")
def verdict_after(copied_house, verdict_before) -> subprocess.CompletedProcess[str]:
    for path, line in PLANTED.values():
        (copied_house / path).write_text(f"{line}\n")
    (copied_house / "gateway/planted_too.py").write_text("import gateway.planted\n")
    return lint_imports(copied_house)


def test_the_house_keeps_its_contracts(verdict_before):
    assert verdict_before.returncode == 0, verdict_before.stdout


def test_every_contract_has_a_planted_import():
    text = (ROOT / "pyproject.toml").read_text()
    contracts = re.findall(
        r'(?m)^\[\[tool\.importlinter\.contracts]]\nid = .*\nname = "(.*)"$', text
    )

    assert contracts == list(PLANTED)


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_import_breaks_its_contract(contract, verdict_before, verdict_after):
    assert f"{contract} KEPT" in verdict_before.stdout
    assert verdict_after.returncode == 1
    assert f"{contract} BROKEN" in verdict_after.stdout


# --- What a file and a folder may be --------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_long_file_says_why_it_is_one_room(path):
    lines = path.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= LONGEST or any(SAYS_WHY_IT_IS_LONG in line for line in lines[:12]), (
        f"{relative(path)} has {len(lines)} lines: it is two rooms, or its first lines say "
        f"'{SAYS_WHY_IT_IS_LONG} …'"
    )


def test_every_name_says_what_is_inside():
    nameless = [relative(p) for p in (*SOURCES, *FOLDERS) if p.stem in NAMES_OF_NOTHING]

    assert nameless == []


def test_no_folder_is_named_after_the_standard_library():
    borrowed = [relative(p) for p in FOLDERS if p.name in sys.stdlib_module_names]

    assert borrowed == []


def test_every_folder_with_code_is_a_package():
    folders = {path.parent for path in SOURCES} - {ROOT / "tracker/migrations/versions"}
    bare = [relative(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()]

    assert bare == []


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_every_public_name_has_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, definitions)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]

    assert ast.get_docstring(tree), f"{relative(path)} does not say what it is"
    assert silent == []
