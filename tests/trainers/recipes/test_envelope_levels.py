import numpy as np
import pytest
from audiofix.trainers.recipes import envelope_levels as on_levels
from stages import noise

from audiofix.backends.envelope.bands import SILENCE, analysed

RATE, BANDS, BAND_HZ = 48000, 80, 300.0


def of_noise(power, frames=200, seed=0):
    rng = np.random.default_rng(seed)
    return on_levels.noise(np.full(BANDS, power, np.float32), frames, rng)


def steady(power, frames=50):
    return np.full((frames, 2, BANDS), power, np.float32)


def test_levels_that_are_not_changed_give_the_analysis_of_the_sound():
    x = 0.1 * noise(1, RATE // 2)[0]
    x[: RATE // 8] = 0
    kept = on_levels.levels_of(x, RATE, BANDS, BAND_HZ)
    found, heard = on_levels.statistics(on_levels.excerpt(kept, 0, len(kept), 1.0))
    expected, expected_heard = analysed(x, RATE, BANDS, BAND_HZ)
    assert found == pytest.approx(expected, abs=0.01)
    assert np.array_equal(heard, expected_heard)


def test_noise_has_the_levels_of_noise():
    sound = 1e-3 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    real, _ = analysed(sound, RATE, BANDS, BAND_HZ)
    made, _ = on_levels.statistics(of_noise(-6.0))
    assert made[20:].mean(axis=(0, 2)) == pytest.approx(real[20:180].mean(axis=(0, 2)), abs=0.04)
    assert made[20:, 0].std() == pytest.approx(real[20:180, 0].std(), abs=0.02)


def test_two_equal_sounds_are_3_db_louder_than_one():
    assert on_levels.mixed(steady(-5), steady(-5)) == pytest.approx(steady(-5) + np.log10(2))
    assert on_levels.mixed(steady(-5), steady(-12)) == pytest.approx(steady(-5), abs=1e-5)


def test_faster_is_higher_and_shorter():
    kept = np.full((60, 2, BANDS), -9.0, np.float16)
    kept[20:, :, 20] = -3.0
    played = on_levels.excerpt(kept, 0, 30, 1.5)
    assert played[:14].max() == -9.0
    assert played[14:, 0].max() > -5.0
    assert (played[14:, 0].argmax(axis=1) == 30).all()


def test_what_is_too_short_is_repeated():
    kept = np.arange(4, dtype=np.float16)[:, None, None] * np.ones((1, 2, BANDS), np.float16)
    assert list(on_levels.excerpt(kept, 0, 9, 1.0)[:, 0, 0]) == [0, 1, 2, 3, 0, 1, 2, 3, 0]


def test_the_floor_is_found_under_louder_sound():
    levels = of_noise(-8.0)
    levels[:100] += 3
    assert on_levels.floor(levels, 17, 30) == pytest.approx(-8, abs=0.1)


def test_the_loudest_frame_is_a_mean_of_powers():
    levels = steady(-20)
    levels[7, 1, :40] = -2.0
    assert on_levels.loudest(levels) == pytest.approx(-2 - np.log10(2))


def test_a_walk_has_no_mean_and_the_steps_asked_for():
    walk = on_levels.random_walk(4000, 0.05, np.random.default_rng(0))
    assert abs(walk.mean()) < 1e-4
    assert np.diff(walk).std() == pytest.approx(0.05, rel=0.05)


def test_nothing_is_heard_as_digital_silence():
    found, _ = on_levels.statistics(steady(on_levels.NOTHING))
    assert found[:, :4] == pytest.approx(np.full_like(found[:, :4], SILENCE), abs=1e-3)
