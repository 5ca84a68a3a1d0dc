import subprocess
import sys

import pytest

from audiofix.backends.table import RECIPES, SYSTEMS, system_of, systems_for
from audiofix.errors import CheckpointError


def test_systems_are_found_by_name_and_by_task():
    assert [system_of(system.name) for system in SYSTEMS] == list(SYSTEMS)
    assert systems_for("upsample") == ["vmasr", "envelope", "a2sb"]
    with pytest.raises(CheckpointError, match="system wavenet: not in this version"):
        system_of("wavenet")


def test_recipes_are_named_for_their_systems():
    names = {system.name for system in SYSTEMS}
    assert {recipe.partition(".")[0] for recipe in RECIPES} <= names


def test_the_table_loads_nothing_heavy():
    script = "import sys, audiofix.backends.table; print({'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"set()\n"
