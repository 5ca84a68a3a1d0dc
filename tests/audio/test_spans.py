import pytest

from audiofix.audio.spans import (
    Span,
    check_gaps,
    gaps_of,
    looks_like_spans,
    parse_spans,
    read_spans,
)
from audiofix.errors import InputError, UsageError


def test_times_in_many_ways():
    assert parse_spans("1.5-2, 0:30-1:02.25") == (Span(1.5, 2), Span(30, 62.25))
    assert parse_spans("1:00:00-1:00:01")[0] == Span(3600, 3601)
    (span,) = parse_spans("100s-250s")
    assert span == Span(100, 250, in_samples=True) and span.seconds(1000) == (0.1, 0.25)


@pytest.mark.parametrize("text", ["2-1", "1-1", "1", "a-b", "1-2,", "1s-2", "-1-2"])
def test_what_is_no_span(text):
    with pytest.raises(UsageError):
        parse_spans(text)


def test_names_of_files_do_not_look_like_spans():
    assert looks_like_spans("1-2,3-4")
    assert not looks_like_spans("gaps.csv") and not looks_like_spans("take-2.txt")


@pytest.mark.parametrize(
    "text",
    [
        "1.0\t1.5\tclick\n2.0\t2.25\n",  # Audacity
        "1.0\t1.5\tclick\n\\\t100\t200\n2.0\t2.25\n",  # with a spectral selection
        "1,1.5\n2,2.25\n",
        "start,end\n1,1.5\n2,2.25\n",
        "\ufeffwhat,end,start\nx,1.5,1\nx,2.25,2\n",
        "file,start,end\na.wav,1,1.5\nb.wav,7,8\nx/a.wav,2,2.25\n",
        "# by hand\n1,1.5\n\n2,2.25\n",
    ],
)
def test_files(tmp_path, text):
    path = tmp_path / "gaps.txt"
    path.write_text(text, encoding="utf-8")
    assert read_spans(path, "x/a.wav") == (Span(1, 1.5), Span(2, 2.25))


def test_a_folder_has_a_file_for_each_recording(tmp_path):
    (tmp_path / "a.txt").write_text("1\t2\n")
    (tmp_path / "b.csv").write_text("3,4\n")
    assert read_spans(tmp_path, "takes/a.flac") == (Span(1, 2),)
    assert read_spans(tmp_path, "takes/b.flac") == (Span(3, 4),)
    with pytest.raises(InputError, match="c.txt"):
        read_spans(tmp_path, "takes/c.flac")


@pytest.mark.parametrize("text", ["1,2\nx,3\n", "5,4\n", "1\n"])
def test_rows_that_are_no_spans(tmp_path, text):
    path = tmp_path / "gaps.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="row"):
        read_spans(path, "a.wav")


def test_unreadable_files(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_spans(tmp_path / "gaps.csv", "a.wav")
    (tmp_path / "x.bin").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="not text"):
        read_spans(tmp_path / "x.bin", "a.wav")


def test_the_words_of_the_option(tmp_path):
    assert gaps_of("auto", "a.wav", 8000) is None
    assert gaps_of("800s-1600s", "a.wav", 8000) == ((0.1, 0.2),)
    (tmp_path / "g.csv").write_text("0.5,1\n")
    assert gaps_of(str(tmp_path / "g.csv"), "a.wav", 8000) == ((0.5, 1.0),)


def test_gaps_that_no_recording_has_are_refused(tmp_path):
    for good in ("auto", "1-2", str(tmp_path)):
        check_gaps(good)
    with pytest.raises(InputError, match="none.csv: not there"):
        check_gaps(str(tmp_path / "none.csv"))
    with pytest.raises(UsageError, match="ends before it begins"):
        check_gaps("2-1")
