import numpy as np
import pytest
import soundfile
from audiofix.trainers.data.coded_clips import CodedClips, CodedClipSettings, scaled_pair
from audiofix.trainers.data.manifest import Recording

from audiofix.errors import InputError, SettingsError, UsageError
from audiofix.metrics.alignment import delay

pytest.importorskip("av")
RATE = 44100
SETTINGS = {"samples": 22050, "codings": ("mp3:64k",), "most_mixed": 2}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A stereo recording of which the first half is silent, and a short mono one."""
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    long = 0.2 * rng.standard_normal((24 * RATE, 2))
    long[: 12 * RATE] = 0
    short = 0.2 * rng.standard_normal((RATE // 4, 1))
    found = []
    for name, sound in {"long": long, "short": short}.items():
        soundfile.write(folder / f"{name}.wav", sound, RATE)
        found.append(Recording(folder / f"{name}.wav", "train", len(sound) / RATE, 0.0))
    return found


def clips(recordings, **settings):
    return CodedClips(recordings, CodedClipSettings(**{**SETTINGS, **settings}))


def test_a_pair_is_aligned_and_at_full_scale(recordings):
    original, coded = clips(recordings).draw(np.random.default_rng(1))
    assert original.shape == coded.shape == (2, 22050)
    assert max(np.abs(original).max(), np.abs(coded).max()) == pytest.approx(1)
    assert delay(coded, original, 2000) == 0
    # Coded up to its last sample, which is no codec's start-up.
    for part in (slice(0, 1105), slice(-1105, None)):
        error = ((coded - original)[:, part] ** 2).sum() / (original[:, part] ** 2).sum()
        assert 0.01 < error < 1.0
    again = clips(recordings).draw(np.random.default_rng(1))
    assert np.array_equal(again[0], original) and np.array_equal(again[1], coded)


def test_silence_is_not_drawn(recordings):
    source = clips(recordings, mixed_share=0.0)
    for seed in range(6):
        original, _ = source.draw(np.random.default_rng(seed))
        assert np.abs(original).max() > 0.5


def test_one_channel_of_a_clip(recordings):
    original, coded = clips(recordings, channels=1).draw(np.random.default_rng(1))
    assert original.shape == coded.shape == (1, 22050)


def test_uncoded_clips_are_their_own_target(recordings):
    original, coded = clips(recordings, uncoded_share=1.0).draw(np.random.default_rng(1))
    assert np.array_equal(original, coded)


def test_levels(recordings):
    generator = np.random.default_rng(1)
    original, coded = clips(recordings, quietest_db=-20.0).draw(generator)
    assert 0.1 <= max(np.abs(original).max(), np.abs(coded).max()) < 0.95
    silent = np.zeros((1, 5), np.float32)
    assert not scaled_pair(silent, silent, 0)[0].any()


def test_what_cannot_be(recordings, tmp_path):
    with pytest.raises(SettingsError, match="channels"):
        CodedClipSettings(channels=3)
    with pytest.raises(SettingsError, match="codings"):
        CodedClipSettings(codings=())
    with pytest.raises(UsageError, match="flac"):
        CodedClipSettings(codings=("flac:64k",))
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    with pytest.raises(InputError, match="silent"):
        clips([Recording(tmp_path / "silent.wav", "train", 1.0, 0.0)]).draw(
            np.random.default_rng(0)
        )
