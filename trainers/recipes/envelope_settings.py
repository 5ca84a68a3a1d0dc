"""Everything that decides a run of the envelope recipe, besides the data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audiofix.trainers.loop_settings import LoopSettings

from audiofix.backends.envelope.config import EnvelopeConfig


@dataclass(frozen=True, slots=True)
class Chain:
    """What recordings of one kind are passed through, so that few stand for many.

    Attributes:
        treble_db: tilt above 8 kHz, dB per octave, lowest and highest.
        tilt_db: tilt from 1 to 16 kHz.
        walk_db: the most that an equaliser's random curve changes from band to band.
        mixed: how often another recording that may be mixed is added.
        rising_floor: how often noise is added that rises from about the recording's own floor on.
        floor: how often noise of any level is added.
        floor_db: its lowest and highest level.
        ends: whether what is above half the recording's rate is known to be empty.
        voice: whether these are voices, for the gate and the choice of the expert.
    """

    treble_db: tuple[float, ...] = (0.0, 0.0)
    tilt_db: tuple[float, ...] = (0.0, 0.0)
    walk_db: float = 0.0
    mixed: float = 0.0
    rising_floor: float = 0.0
    floor: float = 0.0
    floor_db: tuple[float, ...] = (-92.0, -55.0)
    ends: bool = False
    voice: bool = False


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What clips are cut from, and how.

    Attributes:
        frames: of a clip.
        before: the most frames that were heard before the clip; half of the clips begin a stream.
        folders: names of the folders whose files are used, none for all.
        speeds: slowest and fastest playback.
        own_speed: how often a recording is played as it is.
        rates: input rates that two thirds of the items have; the others lie anywhere between
            `lowest_rate` and `highest_rate`.
        chains: kind of recording -> what it is passed through.
        tones: part of the items that are tones and sweeps.
        validation_rates: input rates of the validation.
        validation_files: files validated, spread over the split; 0 for all.
    """

    frames: int = 320
    before: int = 0
    folders: tuple[str, ...] = ()
    speeds: tuple[float, ...] = (1.0, 1.0)
    own_speed: float = 0.5
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
        ends: what the emptiness above a recording's rate weighs, where its band weighs 1.
        gate: what the gate's cross-entropy weighs, where the distance weighs 1.
    """

    randomness: float = 0.6
    ends: float = 1.0
    gate: float = 0.5


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
