import json

import pytest

from audiofix.errors import OutputError
from audiofix.evaluation.generation import GeneratorScores
from audiofix.evaluation.reports import Targets, report_generator

FOUND = {"generated": GeneratorScores(100, 0.8, (0.5, 0.5), 2.0, 3.0, 0.1, 4.0, 0.2, 1.5)}


def test_a_table_is_printed_unless_standard_output_is_taken(tmp_path, capsys):
    path = tmp_path / "r.json"
    report_generator(FOUND, {"seed": 3}, Targets(str(path), None, None, False))
    assert "frechet_distance" in capsys.readouterr().out
    assert json.loads(path.read_text())["seed"] == 3
    report_generator(FOUND, {}, Targets(None, "-", None, False))
    assert capsys.readouterr().out.startswith("recordings_of,recordings,sure,class 0")


def test_reports_replace_files_only_if_asked(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        report_generator(FOUND, {}, Targets(None, str(path), None, False))
    assert path.read_text() == "mine"
    report_generator(FOUND, {}, Targets(None, str(path), None, True))
    assert path.read_text().startswith("recordings_of")
