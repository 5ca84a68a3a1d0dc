import numpy as np
import pytest
from audiofix.trainers.data.clips import read_with_rate
from audiofix.trainers.data.corpora import recordings
from audiofix.trainers.data.hdf5 import windows_of

from audiofix.errors import InputError

h5py = pytest.importorskip("h5py")


def test_windows_are_recordings_of_a_folder(tmp_path):
    rng = np.random.default_rng(0)
    data = rng.standard_normal((3, 2, 4410))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with h5py.File(tmp_path / name / "sample0.hdf5", "w") as file:
            file["data"] = data
    found = recordings(tmp_path, "train") + recordings(tmp_path, "validation")
    assert len(found) == 6
    assert {one.duration for one in found} == {0.1}
    sound, rate = read_with_rate(found[1], 44100)
    assert rate == 44100 and sound.dtype == np.float32
    assert np.allclose(sound, data[1])


def test_a_silent_recordings_file_has_no_windows(tmp_path):
    with h5py.File(tmp_path / "x.hdf5", "w"):
        pass
    assert windows_of(tmp_path / "x.hdf5", "train") == []


def test_what_is_no_hdf5(tmp_path):
    (tmp_path / "x.hdf5").write_text("no")
    with pytest.raises(InputError, match="not HDF5"):
        windows_of(tmp_path / "x.hdf5", "train")
