import csv
import io

import pytest
import soundfile
from stages import noise

from audiofix.audio.spans import gaps_of
from audiofix.errors import OutputError, UsageError
from audiofix.evaluation.gap_report import print_gaps


@pytest.fixture
def recording(tmp_path):
    x = noise(2, 16000)
    x[:, 5000:5300] = 0
    x[1, 9000:9100] = 0
    soundfile.write(tmp_path / "x.wav", x.T, 8000, "FLOAT")
    return tmp_path / "x.wav"


def test_the_list_comes_back_to_the_sample(recording, tmp_path, capsys):
    print_gaps([str(recording)], "auto", None, None, False)
    printed = capsys.readouterr().out
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert [row["what"] for row in rows] == ["silence", "silence"]
    assert [row["channels"] for row in rows] == ["1 2", "2"]
    (tmp_path / "gaps.csv").write_text(printed)
    gaps = gaps_of(str(tmp_path / "gaps.csv"), str(recording), 8000)
    assert [(round(a * 8000), round(b * 8000)) for a, b in gaps] == [(5000, 5300), (9000, 9100)]


def test_a_picture_marks_what_was_found(recording, tmp_path):
    plain, marked = tmp_path / "plain.png", tmp_path / "marked.png"
    print_gaps([str(recording)], "0.1-0.2", plain, None, False)
    print_gaps([str(recording)], "auto", marked, None, False)
    assert plain.read_bytes()[:4] == marked.read_bytes()[:4] == b"\x89PNG"
    assert plain.read_bytes() != marked.read_bytes()
    with pytest.raises(OutputError, match="exists"):
        print_gaps([str(recording)], "auto", plain, None, False)
    with pytest.raises(UsageError, match="one recording"):
        print_gaps([str(recording)] * 2, "auto", tmp_path / "z.png", None, False)


def test_folders_and_gaps_behind_the_end(recording, capsys):
    print_gaps([str(recording.parent)], "1.9-2.5,3-4", None, None, False)
    assert capsys.readouterr().out.splitlines()[1:] == [f"{recording},1.9,2,asked for,1 2"]
