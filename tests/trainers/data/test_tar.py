"""What can be wrong with a shard; test_index.py reads whole ones."""

import pytest
from audiofix.trainers.data.clips import read_own
from audiofix.trainers.data.corpora import recordings
from audiofix.trainers.data.manifest import Recording, Span

from audiofix.errors import InputError


def test_a_shard_that_is_none_and_one_that_changed_are_told(tmp_path):
    (tmp_path / "00.tar").write_bytes(b"no tar file" * 100)
    with pytest.raises(InputError, match=r"00\.tar: not a tar file"):
        recordings(tmp_path, "train")
    gone = Recording(tmp_path / "00.tar" / "x.flac", "train", 1.0, span=Span(1000, 9000))
    with pytest.raises(InputError, match="make the index anew"):
        read_own(gone)
