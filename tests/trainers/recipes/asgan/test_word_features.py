from dataclasses import replace

import numpy as np
import pytest
import soundfile
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.recipes.asgan.word_features import WordFeatures, WordSettings

from audiofix.backends.asgan.features import MelConfig

MEL = MelConfig(fft_size=512, hop=256, bands=16)
TRIMMED = WordSettings(words=("zero", "one"), trim_db=40.0, lead_seconds=0.064)


@pytest.fixture
def word(tmp_path):
    sound = np.zeros(8000)
    sound[4000:6000] = 0.1 * np.sin(np.arange(2000))
    soundfile.write(tmp_path / "1_voice_0.wav", sound, 8000)
    return Recording(tmp_path / "1_voice_0.wav", "train", 1.0)


def drawn(word, settings, seed=0, frames=20):
    return WordFeatures([word], settings, MEL, frames).draw(np.random.default_rng(seed))


def test_a_trimmed_word_comes_behind_its_lead_at_its_peak(word):
    features, label = drawn(word, TRIMMED)
    assert label == 1 and features.shape == (20, 16)
    loud = np.flatnonzero(features.max(1) > -1)
    assert loud[0] in (3, 4) and 14 <= len(loud) <= 19  # 1024 samples of lead; 4000 of the word
    louder, _ = drawn(word, replace(TRIMMED, peak=0.35))
    difference = (features - louder)[loud[5:9], :8]  # the word has nothing in the upper bands
    np.testing.assert_allclose(difference, np.log(2), atol=0.01)


def test_untrimmed_words_are_as_they_were_recorded(word):
    features, _ = drawn(word, WordSettings(words=("zero", "one")), frames=100)
    # 62 frames; a copy of them fills the rest
    np.testing.assert_array_equal(features[62:], features[:38])
    assert features[10].max() < -11 and features[35].max() > -5


def test_the_speed_is_drawn(word):
    settings = replace(TRIMMED, speeds=(0.5, 2.0))
    lengths = {int((drawn(word, settings, seed, 64)[0].max(1) > -1).sum()) for seed in range(8)}
    assert len(lengths) > 4 and max(lengths) > 1.5 * min(lengths)
