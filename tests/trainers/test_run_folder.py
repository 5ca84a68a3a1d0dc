import os
import subprocess
import sys

import pytest
from audiofix.trainers.run_folder import remove_unfinished, writing_to

from audiofix.errors import OutputError
from audiofix.files import NewFile


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    code = "import os, sys; from pathlib import Path; from audiofix.files import NewFile\n"
    code += "NewFile(Path(sys.argv[1]) / 'best-3.safetensors'); os._exit(9)"
    subprocess.run([sys.executable, "-c", code, os.fspath(tmp_path)], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    (tmp_path / "mine.part").touch()
    with NewFile(tmp_path / "last.pt") as new:
        remove_unfinished(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {"mine.part", new.part.name}


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left"), RuntimeError("failed\nlong"), OutputError("x: No space left")],
)
def test_what_libraries_raise_becomes_one_line(tmp_path, error):
    with (
        pytest.raises(OutputError, match=r"\((x: )?(No space left|failed)\): free") as caught,
        writing_to(tmp_path),
    ):
        raise error
    assert "\n" not in str(caught.value)
