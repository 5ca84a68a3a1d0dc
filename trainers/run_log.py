"""What a run tells: JSON lines always, TensorBoard and Weights & Biases where they are wanted."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.audio.sink import open_sink
from audiofix.dsp.picture import HIGHEST_DB, LOWEST_DB, spectrogram_levels
from audiofix.errors import UsageError
from audiofix.files import write_bytes

LOG_FILE = "log.jsonl"
_LOUDEST = 1 - 2**-23
"""The largest sample of 24 bits."""


@dataclass(frozen=True)
class Example:
    """One validation clip as heard before, after and as it should be; `[channels, samples]`."""

    name: str
    rate: int
    sounds: Mapping[str, Chunk]


class RunLog:
    """Writes a run's numbers, pictures and sounds into its folder."""

    def __init__(
        self,
        run: Path,
        *,
        pictures: bool = False,
        tensorboard: bool = False,
        wandb: str = "",
        after: int = 0,
    ) -> None:
        """Open the log.

        Args:
            run: the run's folder.
            pictures: whether there will be examples, which need matplotlib.
            tensorboard: whether to write event files into it.
            wandb: the project to report to, empty for none.
            after: the step that the run goes on from; TensorBoard forgets what came later.

        Raises:
            UsageError: a package that was asked for is not installed.
        """
        if pictures:  # now, and not hours later at the first validation
            _needed("matplotlib.figure", "matplotlib")
        boards = _needed("torch.utils.tensorboard", "tensorboard") if tensorboard else None
        projects = _needed("wandb", "wandb") if wandb else None
        self._run = run
        self._log = (run / LOG_FILE).open("a", encoding="utf-8")
        self._board: Any = None
        self._wandb: Any = None
        if boards:
            self._board = boards.SummaryWriter(str(run / "tensorboard"), purge_step=after + 1)
        if projects:
            self._wandb = projects.init(project=wandb, dir=str(run), name=run.name)

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Write the scalars of a step."""
        self._log.write(json.dumps({"step": step, **values}) + "\n")
        self._log.flush()
        if self._board:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
        if self._wandb:
            self._wandb.log(dict(values), step=step)

    def example(self, step: int, example: Example) -> None:
        """Write a clip's sounds, and one picture of their waveforms and spectrograms."""
        folder = self._run / "examples"
        folder.mkdir(exist_ok=True)
        stem = folder / f"{example.name}-{step:07d}"
        for name, sound in example.sounds.items():
            audio = AudioFormat(example.rate, len(sound))
            with open_sink(f"{stem}-{name}.flac", audio, bits="24", overwrite=True) as sink:
                sink.write(sound.clip(-1, _LOUDEST))
        figure = picture(example)
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=80)
        write_bytes(Path(f"{stem}.png"), png.getvalue(), overwrite=True)
        if self._board:
            self._board.add_figure(example.name, figure, step)
            for name, sound in example.sounds.items():
                self._board.add_audio(f"{example.name}/{name}", sound, step, example.rate)

    def close(self) -> None:
        """Finish what was written."""
        self._log.close()
        if self._board:
            self._board.close()
        if self._wandb:
            self._wandb.finish()


def drop_later_lines(log: Path, step: int) -> None:
    """Cut from a JSON-lines log what was written after `step`: those steps are done again."""
    if not log.exists():
        return
    kept = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError):
            break  # the line that a kill cut short
    write_bytes(log, "".join(kept).encode(), overwrite=True)


def picture(example: Example) -> Any:
    """Return a matplotlib figure: a column per sound, its waveform above its spectrogram.

    Raises:
        UsageError: matplotlib is not installed.
    """
    figures = _needed("matplotlib.figure", "matplotlib")
    columns = len(example.sounds)
    figure = figures.Figure(figsize=(5 * columns, 5), layout="constrained")
    axes = figure.subplots(2, columns, squeeze=False, height_ratios=(1, 3))
    for place, (name, sound) in enumerate(example.sounds.items()):
        wave, spectrogram = axes[0, place], axes[1, place]
        seconds = np.arange(sound.shape[1]) / example.rate
        wave.plot(seconds, sound[0], linewidth=0.4)
        wave.set(title=name, xlim=(0, sound.shape[1] / example.rate), ylim=(-1, 1))
        levels = spectrogram_levels(sound[:1], width=600, height=256)
        spectrogram.imshow(
            levels,
            vmin=LOWEST_DB,
            vmax=HIGHEST_DB,
            cmap="magma",
            aspect="auto",
            extent=(0, sound.shape[1] / example.rate, 0, example.rate / 2),
        )
        spectrogram.set(xlabel="s", ylabel="Hz")
    return figure


def _needed(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(f"{package}: not installed: pip install {package}") from error
