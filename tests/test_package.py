"""What importing the package does to its process."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES = {"PyYAML": "yaml", "pyyaml": "yaml", "audioop_lts": "audioop"}
"""Packages that are imported under another name."""

SHOW = "import audiofix, os; print(os.environ.get('GOMP_SPINCOUNT'))"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, "1000"),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "passive"}, "None"),
    ],
)
def test_waiting_threads_spin_briefly_unless_the_user_chose(chosen, expected):
    unset = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}
    environment = {name: value for name, value in os.environ.items() if name not in unset} | chosen
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == expected


def imported_at_once(module: Path) -> set[str]:
    """Return the packages that a module imports outside its functions."""
    found = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found


def test_what_is_imported_at_once_is_a_dependency():
    """What an extra brings must be imported where it is needed, with a clear error."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [re.split(r"[^\w-]", line)[0].replace("-", "_") for line in project["dependencies"]]
    known = {NAMES.get(name, name) for name in named} | {"audiofix"} | sys.stdlib_module_names
    missing = {
        f"{module.relative_to(ROOT)}: {package}"
        for module in (ROOT / "audiofix").rglob("*.py")
        for package in imported_at_once(module) - known
    }
    assert missing == set()
