"""`inpaint` as a user starts it: gaps are filled, every other byte stays."""

from pathlib import Path

import numpy as np
import soundfile
from cli.commands import Run
from stages import noise

RATE = 8000


def test_found_gaps_in_a_pipe(audiofix: Run) -> None:
    x = noise(1, 16001)[0]
    x[5000:5300] = 0
    x[9000:9003] = np.nan
    raw = audiofix(
        "inpaint", "-e", "f32le", "-r", "8k", "-c", "1", "-t", "f32le", stdin=x.tobytes()
    )
    assert raw.returncode == 0, raw.stderr
    y = np.frombuffer(raw.stdout, np.float32)
    assert np.array_equal(np.flatnonzero(y != x), [*range(5000, 5300), *range(9000, 9003)])
    assert np.isfinite(y).all()
    assert b"2 gaps found and filled: 1 not finite, 1 silence" in raw.stderr


def test_a_dry_run_prints_and_writes_nothing_else(audiofix: Run, tmp_path: Path) -> None:
    x = noise(1, 16001)
    x[0, 5000:5300] = 0
    soundfile.write(tmp_path / "x.wav", x.T, RATE, "FLOAT")
    done = audiofix("inpaint", "x.wav", "--dry-run", "--picture", "p.png", cwd=tmp_path)
    assert done.stdout.decode().splitlines()[1] == "x.wav,0.625,0.6625,silence,1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.png", "x.wav"]
    alone = audiofix("inpaint", "x.wav", "--picture", "q.png", "-o", "y.wav", cwd=tmp_path)
    assert alone.returncode == 2 and b"--dry-run" in alone.stderr


def test_a_folder_with_a_label_file_for_each_recording(audiofix: Run, tmp_path: Path) -> None:
    for folder in ("takes", "labels"):
        (tmp_path / folder).mkdir()
    x = noise(1, 8000)
    for name, label in (("a", "0.1\t0.2\n"), ("b", "0.5\t0.6\n"), ("c", "")):
        soundfile.write(tmp_path / f"takes/{name}.wav", x.T, RATE, "FLOAT")
        if label:
            (tmp_path / f"labels/{name}.txt").write_text(label)
    done = audiofix("inpaint", "takes", "--gaps", "labels", "-o", "fixed", cwd=tmp_path)
    assert done.returncode == 7 and b"c.txt" in done.stderr
    for name, first in (("a", 800), ("b", 4000)):
        y, _ = soundfile.read(tmp_path / f"fixed/{name}.wav", dtype="float32")
        changed = np.flatnonzero(y != x[0])
        assert (changed[0], changed[-1]) == (first, first + 799)


def test_gaps_that_cannot_be(audiofix: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", noise(1, 8000).T, RATE)
    done = audiofix("inpaint", "x.wav", "--gaps", "2-1", "-o", "y.wav", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.decode().splitlines()) == 1
    assert not (tmp_path / "y.wav").exists()
