import pytest
from audiofix.trainers.run_folder import remove_leftovers, replacing, writing_to

from audiofix.errors import OutputError


def test_a_file_is_replaced_when_it_is_whole(tmp_path):
    path = tmp_path / "last.pt"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="half"), replacing(path) as file:
        file.write(b"ne")
        raise ValueError("half")
    assert path.read_bytes() == b"old"
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["last.pt"]


def test_leftovers_are_removed_and_nothing_else(tmp_path):
    names = [".last.pt.7.part", "mine.part", "last.pt"]
    for name in names:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt", "mine.part"]


@pytest.mark.parametrize("error", [OSError(28, "No space left"), RuntimeError("failed\nlong")])
def test_what_libraries_raise_becomes_one_line(tmp_path, error):
    with (
        pytest.raises(OutputError, match=r"\((No space left|failed)\): free") as caught,
        writing_to(tmp_path),
    ):
        raise error
    assert "\n" not in str(caught.value)
