import numpy as np
from audiofix.trainers.recipes.asgan.features import fit_frames


def test_longer_features_are_cut_at_any_place_but_the_last():
    item = np.arange(7, dtype=np.float32)[:, None]
    generator = np.random.default_rng(0)
    starts = {fit_frames(item, 4, 0.0, generator)[0, 0] for _ in range(50)}
    assert starts == {0, 1, 2}


def test_shorter_features_are_tiled_once_or_followed_by_silence():
    item, generator = np.ones((3, 2), np.float32), np.random.default_rng(0)
    assert fit_frames(item, 5, -1.0, generator)[:, 0].tolist() == [1, 1, 1, 1, 1]
    assert fit_frames(item, 6, -1.0, generator)[:, 0].tolist() == [1, 1, 1, -1, -1, -1]
