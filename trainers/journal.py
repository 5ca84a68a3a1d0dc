"""What a run tells: JSON lines always, TensorBoard and Weights & Biases where they are wanted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from audiofix.audio.format import Chunk
from audiofix.errors import UsageError

LOG_FILE = "log.jsonl"
_SPECTROGRAM_FFT = 1024


@dataclass(frozen=True)
class Example:
    """One validation clip as heard before, after and as it should be; `[channels, samples]`."""

    name: str
    rate: int
    sounds: Mapping[str, Chunk]


class Journal:
    """Writes a run's numbers, pictures and sounds into its folder."""

    def __init__(self, run: Path, *, tensorboard: bool = False, wandb: str = "") -> None:
        """Open the journal.

        Args:
            run: the run's folder.
            tensorboard: whether to write event files into it.
            wandb: the project to report to, empty for none.

        Raises:
            UsageError: a package that was asked for is not installed.
        """
        self._run = run
        self._log = (run / LOG_FILE).open("a", encoding="utf-8")
        self._board: Any = None
        self._wandb: Any = None
        if tensorboard:
            module = _needed("torch.utils.tensorboard", "tensorboard")
            self._board = module.SummaryWriter(str(run / "tensorboard"))
        if wandb:
            self._wandb = _needed("wandb", "wandb").init(project=wandb, dir=str(run), name=run.name)

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
            soundfile.write(f"{stem}-{name}.flac", sound.T.clip(-1, 1), example.rate, "PCM_24")
        figure = picture(example)
        figure.savefig(f"{stem}.png", dpi=80)
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
        wave.set(title=name, xlim=(0, seconds[-1]), ylim=(-1, 1))
        spectrogram.specgram(
            sound[0] + 1e-7, _SPECTROGRAM_FFT, example.rate, vmin=-130, vmax=-30, cmap="magma"
        )
        spectrogram.set(xlabel="s", ylabel="Hz")
    return figure


def _needed(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(f"{package}: not installed: pip install 'audiofix[train]'") from error
