import pytest
from audiofix.trainers.recipes import RECIPES, plan, presets
from audiofix.trainers.run_settings import write_settings

from audiofix.errors import SettingsError, UsageError


@pytest.mark.parametrize("preset", presets())
def test_every_preset_can_be_read(preset):
    system = preset.split("-")[0]
    assert system in RECIPES
    assert plan(system, preset, ()).system == system


def test_the_published_preset_is_the_papers():
    settings = plan("vmasr", None, ()).settings
    assert settings.model.dims == 16 and settings.model.interact == "dual"
    assert (settings.loss.stft, settings.loss.adversarial, settings.loss.feature_matching) == (
        1,
        1,
        100,
    )
    assert settings.data.band.any_rate and settings.data.band.rates == (8000, 48000)
    assert settings.loop.optimiser("discriminator").rate == 1e-3 and not settings.keep_low_band


def test_words_overlay_files_and_files_overlay_defaults(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("half = true\n[loop]\nsteps = 3\nbatch = 2\n")
    settings = plan("vmasr", str(path), ("loop.batch=8", "loss.gan=wgan-gp")).settings
    assert settings.half and settings.loop.steps == 3 and settings.loop.batch == 8
    assert settings.loss.gan == "wgan-gp" and settings.loss.stft == 1.0


def test_the_settings_of_a_run_can_be_used_again(tmp_path):
    settings = plan("vmasr", "vmasr-small", ("loop.seed=9",)).settings
    write_settings(tmp_path, "vmasr", tmp_path, settings)
    assert plan("vmasr", str(tmp_path / "settings.json"), ()).settings == settings


@pytest.mark.parametrize(
    ("system", "config", "words", "error", "message"),
    [
        ("vmasar", None, (), UsageError, "train vmasar: unknown: use one of vmasr"),
        (
            "vmasr",
            "vmasr-big",
            (),
            UsageError,
            "neither a file nor a preset: use .*vmasr-sm",
        ),
        ("vmasr", None, ("loop.stepz=1",), SettingsError, "did you mean loop.steps"),
        ("vmasr", None, ("model.interact=triple",), SettingsError, "must be one of dual"),
        (
            "vmasr",
            None,
            ("loop.optimisers.generator.rat=1",),
            SettingsError,
            "did you mean loop.optimisers.generator.rate",
        ),
        ("vmasr", None, ("loop.batch=0",), SettingsError, "must be at least 1"),
        ("vmasr", "cut.toml", (), SettingsError, "cut.toml: not settings"),
        ("vmasr", "cut.json", (), SettingsError, "cut.json: not settings"),
    ],
)
def test_refusals_say_what_to_do(tmp_path, monkeypatch, system, config, words, error, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cut.toml").write_text("[loop\n")
    (tmp_path / "cut.json").write_text("{}")
    with pytest.raises(error, match=message):
        plan(system, config, words)
