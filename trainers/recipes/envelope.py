"""How the envelope network is trained: on the levels of bands, without making any sound.

An item is the analysis of a clip as `upsample` would see it. Playing a clip faster or slower needs
no resampling, as the analysis works at any rate: the clip is only said to have another rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from audiofix.trainers.checkpoint import export
from audiofix.trainers.data.clips import read_own
from audiofix.trainers.data.coloration import Noise, Tilt, floor_db, recoloured, tones
from audiofix.trainers.data.corpora import recordings, spread
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipe import TOTAL, Batch, Item, Recipe, Turn, TurnResult
from audiofix.trainers.run_log import Example
from numpy.typing import NDArray
from torch import Tensor, nn

from audiofix.backends.envelope.bands import FRAMES_PER_SECOND, analysed
from audiofix.backends.envelope.config import EnvelopeConfig
from audiofix.backends.envelope.filling import KEPT_SHARE
from audiofix.backends.envelope.network import EnvelopeNetwork, highest_level
from audiofix.errors import InputError

Wave = NDArray[np.float32]

_TONES_RATE = 48000
_NEAR_NYQUIST = 0.955
"""Share of a recording's band above which its own converter or resampler is heard."""

_LEAST_BAND_HZ = 900.0
"""What a recording must know above the input's band."""

_DRAWS = 50

_PEAKS_DB = (-24.0, -0.5)
"""Peaks of the clips, whatever the recordings' own: loudness must not tell speech from music."""

_QUIETEST_PEAK = 1e-3

_SETTLED = 0.3
"""How much of the running levels' time must have passed before music is asked to end where its rate
ends: nobody can hear so early that it is music."""

_FLOOR_HZ = 7000.0
"""The middle of the band that `floor_db` measures."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What recordings of one kind are passed through, so that few stand for many.

    Attributes:
        treble_db: tilt above 8 kHz, dB per octave, lowest and highest.
        tilt_db: tilt from 1 to 16 kHz.
        rising_floor: how often noise is added that rises from about the recording's own floor on.
        floor: how often noise of any level is added.
        floor_db: its lowest and highest level.
        ends: whether what is above half the recording's rate is known to be empty.
        overshoot: what too much weighs, where too little weighs 1, below `loss.cautious_hz`.
    """

    treble_db: tuple[float, ...] = (0.0, 0.0)
    tilt_db: tuple[float, ...] = (0.0, 0.0)
    rising_floor: float = 0.0
    floor: float = 0.0
    floor_db: tuple[float, ...] = (-92.0, -55.0)
    ends: bool = False
    overshoot: float = 1.0


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What clips are cut from, and how.

    Attributes:
        frames: of a clip.
        edges: input rates at which each clip is looked at: an analysis costs more than a step.
        folders: names of the folders whose files are used, none for all.
        speeds: playback speeds to draw from.
        rates: input rates that two thirds of the items have; the others lie anywhere between
            `lowest_rate` and `highest_rate`.
        chains: kind of recording -> what it is passed through.
        tones: part of the items that are tones and sweeps.
        validation_rates: input rates of the validation.
        validation_files: files validated, spread over the split; 0 for all.
    """

    frames: int = 320
    edges: int = 2
    folders: tuple[str, ...] = ()
    speeds: tuple[float, ...] = (1.0,)
    rates: tuple[int, ...] = (8000, 12000, 16000, 24000)
    lowest_rate: int = 5000
    highest_rate: int = 45000
    chains: Mapping[str, Chain] = field(default_factory=dict)
    tones: float = 0.04
    validation_rates: tuple[int, ...] = (8000, 12000, 16000, 24000)
    validation_files: int = 0


@dataclass(frozen=True, slots=True)
class LossSettings:
    """What is minimised: about the log-spectral distance of what will be heard.

    Attributes:
        randomness: mean square of what two noises of one level differ by, in log10 power.
        ends: what the emptiness above a recording's rate weighs, where its band weighs 1: little,
            so that only what is surely music loses its top.
        cautious_hz: up to where too much is worse than too little: listeners, and PESQ, forgive
            a missing band sooner than a wrong one.
    """

    randomness: float = 0.6
    ends: float = 0.5
    cautious_hz: float = 8100.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run, besides the data.

    Attributes:
        name: of the checkpoint.
        half: whether checkpoints hold float16.
    """

    name: str = "envelope"
    model: EnvelopeConfig = field(default_factory=EnvelopeConfig)
    data: DataSettings = field(default_factory=DataSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    half: bool = False


class EnvelopeRecipe(Recipe):
    """`trainers.recipe.Recipe` for the envelope network."""

    monitor = "lsd"

    def __init__(self, settings: Settings, source: Path, device: torch.device) -> None:
        """Make the network and find the data.

        Raises:
            InputError: there is no data, or it has no length.
        """
        self.settings = settings
        self.networks: dict[str, nn.Module] = {
            "generator": EnvelopeNetwork(settings.model).to(device)
        }
        self.device = device
        data = settings.data
        self.training = recordings(source, "train", folders=data.folders)
        validation = recordings(source, "validation", folders=data.folders)
        self.held_out = spread(validation, data.validation_files)
        weights = np.array([one.duration * one.weight for one in self.training])
        if not 0 < weights.sum() < np.inf:
            raise InputError("data: recordings of no length: check the manifest's durations")
        self._shares = weights / weights.sum()
        self._held_out: list[tuple[str, Batch]] = []

    def item(self, generator: np.random.Generator) -> Item:
        """Return a clip's analysis, the first missing band at each edge, and the known bands."""
        config, data = self.settings.model, self.settings.data
        if generator.random() < data.tones:
            rate, empty_hz = _TONES_RATE, config.top_hz
            samples = data.frames * rate // FRAMES_PER_SECOND
            clip, known_hz, chain = tones(samples, rate, generator), config.top_hz, Chain()
        else:
            clip, rate, known_hz, empty_hz, chain = self._clip(generator)
        rates = [self._input_rate(generator, known_hz) for _ in range(data.edges)]
        item = self._item(clip, rate, rates, known_hz, empty_hz)
        return {**item, "overshoot": np.array(chain.overshoot, np.float32)}

    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the distance above the edge."""
        distance = self._distances(self.networks[turn.network], batch, cautious=True).mean()
        return TurnResult({TOTAL: distance})

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return about the log-spectral distance of whole files: by kind and rate, and the mean."""
        if not self._held_out:
            self._held_out = [
                pair
                for recording in self.world.share(self.held_out)
                for pair in self._validated(recording)
            ]
        found: dict[str, list[float]] = {}
        for name, batch in self._held_out:
            distance = self._distances(networks["generator"], batch, cautious=False)
            share = 1 - batch["edges"].item() / self.settings.model.bands
            found.setdefault(name, []).append(distance.mean().item() * share**0.5)
        gathered = self.world.gathered(found)
        figures = {f"lsd_{name}": float(np.mean(values)) for name, values in gathered.items()}
        return {**figures, "lsd": float(np.mean(list(figures.values())))}

    def examples(self, networks: Mapping[str, nn.Module], count: int) -> Sequence[Example]:
        """Return nothing: no sound is made here."""
        del networks, count
        return []

    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write the network as a checkpoint for `upsample --model`."""
        model = self.settings.model
        config = {**asdict(model), "rate": round(2 * model.top_hz)}
        export(path, self.settings, "envelope", config, networks["generator"].state_dict())

    def _clip(self, generator: np.random.Generator) -> tuple[Wave, int, float, float, Chain]:
        """Return a clip, its rate, up to where it is known, from where it is empty; its chain."""
        data = self.settings.data
        place = generator.choice(len(self.training), p=self._shares)
        recording = self.training[int(place)]
        sound, own_rate = read_own(recording)
        speed = float(generator.choice(data.speeds))
        rate = round(own_rate * speed)
        samples = data.frames * round(rate / FRAMES_PER_SECOND)
        start = int(generator.integers(max(1, sound.shape[1] - samples + 1)))
        clip = sound[generator.integers(len(sound)), start : start + samples]
        clip = np.pad(clip, (0, samples - clip.size))
        chain = data.chains.get(recording.kind, Chain())
        clip, noisy = _passed_through(chain, clip, rate, generator)
        known_hz, empty_hz = self._known(recording, own_rate, speed, chain)
        # A floor would not end with the rate: it came from a microphone that nobody knows.
        empty_hz = self.settings.model.top_hz if noisy else empty_hz
        return clip, rate, known_hz, empty_hz, chain

    def _known(
        self, recording: Recording, own_rate: int, speed: float, chain: Chain
    ) -> tuple[float, float]:
        """Return up to where a clip is known, and from where on it is known to be empty."""
        top_hz, end_hz = self.settings.model.top_hz, own_rate / 2 * speed
        if own_rate == 2 * top_hz and speed >= 1:
            return min(recording.band_hz * speed, top_hz), top_hz
        known_hz = min(recording.band_hz, _NEAR_NYQUIST * own_rate / 2) * speed
        ends = chain.ends and own_rate >= 44100 and speed == 1
        return min(known_hz, top_hz), min(end_hz, top_hz) if ends else top_hz

    def _input_rate(self, generator: np.random.Generator, known_hz: float) -> float:
        data = self.settings.data
        for _ in range(_DRAWS):
            rate = float(generator.uniform(data.lowest_rate, data.highest_rate))
            if generator.random() < 2 / 3:
                rate = float(generator.choice(data.rates))
            if rate / 2 < known_hz - _LEAST_BAND_HZ:
                return rate
        return float(data.lowest_rate)

    def _item(
        self,
        clip: Wave,
        rate: int,
        input_rates: Sequence[float],
        known_hz: float,
        empty_hz: float,
    ) -> Item:
        config = self.settings.model
        statistics, heard = analysed(clip, rate, config.bands, config.band_hz)
        bands = np.arange(config.bands)
        known = (bands + 1) * config.band_hz <= known_hz
        edges = [max(1, int(KEPT_SHARE * rate / 2 / config.band_hz)) for rate in input_rates]
        frames = self.settings.data.frames
        return {
            "statistics": statistics[:frames],
            "heard": heard[:frames],
            "edges": np.array(edges),
            "known": known,
            "empty": bands * config.band_hz >= empty_hz,
        }

    def _validated(self, recording: Recording) -> Sequence[tuple[str, Batch]]:
        """Return a recording's analysis at each input rate that leaves something to predict."""
        sound, rate = read_own(recording)
        config, clip = self.settings.model, sound[0]
        known_hz, _ = self._known(recording, rate, 1.0, Chain())
        statistics, heard = analysed(sound[0], rate, config.bands, config.band_hz)
        found = []
        for input_rate in self.settings.data.validation_rates:
            if input_rate / 2 >= known_hz - _LEAST_BAND_HZ:
                continue
            item = self._item(clip[:1], rate, [input_rate], known_hz, config.top_hz)
            item = {**item, "statistics": statistics, "heard": heard}
            batch = {k: torch.from_numpy(v)[None].to(self.device) for k, v in item.items()}
            found.append((f"{recording.kind}{input_rate}", batch))
        return found

    def _distances(self, network: nn.Module, batch: Batch, *, cautious: bool) -> Tensor:
        """Return the distance of each frame, `[batch * edges, frames]`."""
        config, loss = self.settings.model, self.settings.loss
        edges = batch["edges"].shape[1]
        statistics, heard, known, empty = (
            batch[name].repeat_interleave(edges, dim=0)
            for name in ("statistics", "heard", "known", "empty")
        )
        first = batch["edges"].flatten()[:, None]
        edge = first.expand(heard.shape)
        ahead = config.lookahead
        level = statistics[:, : heard.shape[1] - ahead, 0]
        predicted = network(statistics, heard, edge)[:, ahead:]
        predicted = torch.minimum(predicted, highest_level(level, edge[:, ahead:]))
        bands = torch.arange(config.bands, device=self.device)
        settled = heard[:, : level.shape[1], None] > _SETTLED
        weight = ((bands >= first) & known)[:, None] + loss.ends * (empty[:, None] & settled)
        error = predicted - level
        if cautious:
            low = bands * config.band_hz < loss.cautious_hz
            overshoot = batch["overshoot"].repeat_interleave(edges)[:, None, None]
            error = torch.where((error > 0) & low, error * overshoot.sqrt(), error)
        square = (error.square() * weight).sum(-1) / weight.sum(-1).clamp(min=1)
        return torch.sqrt(square + loss.randomness)


def _drawn(span: tuple[float, ...], generator: np.random.Generator) -> float:
    low, high = span
    return generator.uniform(low, high)


def _passed_through(
    chain: Chain, clip: Wave, rate: int, generator: np.random.Generator
) -> tuple[Wave, bool]:
    """Return a clip as another microphone would have it, at another level; and whether noise came.

    Args:
        chain: what it may pass through.
        clip: `[samples]`.
        rate: samples per second.
        generator: decides everything.
    """
    treble = Tilt(_drawn(chain.treble_db, generator), 8000, 24000)
    tilt = Tilt(_drawn(chain.tilt_db, generator), 1000, 16000)
    peak_db = 20 * np.log10(np.abs(clip).max() + _QUIETEST_PEAK)
    level_db = generator.uniform(*_PEAKS_DB) - peak_db
    noises = []
    if generator.random() < chain.rising_floor:
        own_db = floor_db(clip, rate) + level_db + float(tilt.gain_db(_FLOOR_HZ))
        noises.append(Noise(own_db + generator.uniform(3, 22), generator.uniform(0.2, 1.8)))
    if generator.random() < chain.floor:
        noises.append(Noise(_drawn(chain.floor_db, generator), generator.uniform(-0.4, 0.6)))
    louder = clip * np.float32(10 ** (level_db / 20))
    clip = recoloured(louder, rate, [treble, tilt], noises, generator)
    if generator.random() < 0.04:
        clip[: generator.integers(clip.size // 2)] = 0
    if generator.random() < 0.5:
        clip = np.rint(clip * np.float32(2**15)) / np.float32(2**15)
    return clip, bool(noises)
