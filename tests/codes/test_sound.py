import numpy as np
import pytest
from codes.streams import STEREO, random_codes

from audiofix.codes.sound import CodedSound
from audiofix.errors import InputError


@pytest.mark.parametrize("frames", [0, 1, 300])
def test_a_file_gives_back_what_was_saved(tmp_path, frames):
    samples = STEREO.most_samples(frames)
    sound = CodedSound(STEREO, random_codes(STEREO, frames), samples)
    sound.save(tmp_path / "x.afc")
    loaded = CodedSound.load(tmp_path / "x.afc")
    assert (loaded.layout, loaded.samples) == (STEREO, samples)
    assert np.array_equal(loaded.codes, sound.codes)
    assert not list(tmp_path.glob(".*"))


def test_damage_is_an_error(tmp_path):
    path = tmp_path / "x.afc"
    CodedSound(STEREO, random_codes(STEREO, 300), 100).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"x\.afc"):
        CodedSound.load(path)
    with pytest.raises(InputError, match="No such file"):
        CodedSound.load(tmp_path / "y.afc")
