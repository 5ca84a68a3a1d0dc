import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import OptimiserSettings
from audiofix.trainers.run_settings import (
    SETTINGS_FILE,
    changed_settings,
    settings_table,
    write_settings,
)

from audiofix.settings import as_table, read_settings


@dataclass(frozen=True)
class Settings:
    name: str = "x"
    layers: tuple[tuple[int, float], ...] = ((96, 12.0), (64, 24.0))
    loop: LoopSettings = field(default_factory=LoopSettings)


def test_what_is_written_is_read_again(tmp_path):
    settings = Settings(
        loop=LoopSettings(batch=6, optimisers={"generator": OptimiserSettings(betas=(0.5, 0.9))})
    )
    write_settings(tmp_path / "run", "toy", Path("a.csv"), settings)
    text = (tmp_path / "run" / SETTINGS_FILE).read_text()
    assert read_settings(Settings, settings_table(text)) == settings
    assert json.loads(text)["system"] == "toy"
    assert changed_settings(tmp_path / "run", settings) == []


def test_tells_what_changed_but_not_how_long_the_run_is(tmp_path):
    settings = Settings()
    write_settings(tmp_path, "toy", Path("a.csv"), settings)
    loop = replace(
        settings.loop,
        steps=7,
        log_every=3,
        batch=2,
        optimisers={"generator": OptimiserSettings()},
    )
    other = Settings(name="y", loop=loop)
    assert changed_settings(tmp_path, other) == [
        "loop.batch",
        *(
            f"loop.optimisers.generator.{key}"
            for key in sorted(as_table(OptimiserSettings()))
            if key != "factors"
        ),
        "name",
    ]
    assert changed_settings(tmp_path, settings) == []
