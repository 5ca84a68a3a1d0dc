import numpy as np
import pytest
import soundfile
from audiofix.trainers.data.coded_clips import CodedClipSettings
from audiofix.trainers.data.paired_clips import PairedClips, pairs_of_split, read_pair

from audiofix.errors import InputError
from audiofix.metrics.alignment import delay

RATE = 44100


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A pair for training and one for validation; the coded one is softer and 300 samples late."""
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for split in ("train", "valid"):
        x = 0.2 * rng.standard_normal((RATE, 2))
        late = np.concatenate([np.zeros((300, 2)), 0.5 * x])[:RATE]
        for name, sound in {"original": x, "codec": late}.items():
            (folder / split / "song").mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / split / "song" / f"{name}.wav", sound, RATE, subtype="FLOAT")
    return folder


def test_a_clip_and_its_own_coded_version(source):
    clips = PairedClips(pairs_of_split(source, "train"), CodedClipSettings(samples=8000))
    original, coded = clips.draw(np.random.default_rng(0))
    assert original.shape == coded.shape == (2, 8000)
    assert delay(coded, original, 500) == 0
    assert np.abs(coded - 0.5 * original).max() < 1e-6
    one = PairedClips(pairs_of_split(source, "train"), CodedClipSettings(samples=8000, channels=1))
    assert one.draw(np.random.default_rng(0))[0].shape == (1, 8000)


def test_validation_pairs_are_in_their_own_folder(source):
    (pair,) = pairs_of_split(source, "validation").values()
    assert pair[0].parts[-3:] == ("valid", "song", "original.wav")
    original, coded = read_pair(pair, RATE)
    assert original.shape == coded.shape
    with pytest.raises(InputError, match="train"):
        pairs_of_split(source / "train", "train")


def test_channels_must_agree(tmp_path):
    paths = []
    for name, channels in {"original": 2, "codec": 1}.items():
        paths.append(tmp_path / f"{name}.wav")
        soundfile.write(paths[-1], np.zeros((1000, channels)), RATE)
    with pytest.raises(InputError, match="1 channels"):
        read_pair((paths[0], paths[1]), RATE)
