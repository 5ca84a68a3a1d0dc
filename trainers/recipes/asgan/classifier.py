"""How the classifier of digits is trained that generators are judged by.

Cross-entropy on mel pictures of words at varying speed, place and noise. Specification, section 8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import soxr
import torch
from audiofix.trainers.checkpoint import export
from audiofix.trainers.data.clips import read_own
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.data.remembered import Remembered
from audiofix.trainers.data.words import DIGITS, label_of, trimmed, words
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipe import TOTAL, Batch, Item, Recipe, Turn, TurnResult
from audiofix.trainers.run_log import Example
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from audiofix.audio.format import Chunk
from audiofix.backends.asgan.classifier import Classifier
from audiofix.backends.asgan.config import ClassifierConfig
from audiofix.backends.asgan.pictures import RATE, SAMPLES, mel_pictures, one_second
from audiofix.backends.asgan.released import CLASSIFIER_PREFIX
from audiofix.errors import SettingsError

CLASSIFIER = "classifier"
_BATCH = 64
_FLOOR_DB = -80.0


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What is learned.

    Attributes:
        words: the classes, in their order.
        trim_db: silence so far below a word is cut around it, and words are placed anywhere; 0
            leaves them as they are.
        speeds: lowest and highest playback speed.
        noise_db: lowest and highest level of noise, below the word's peak.
        masked_bands: at most so many neighbouring bands of a picture are silenced.
    """

    words: tuple[str, ...] = DIGITS
    trim_db: float = 0.0
    speeds: tuple[float, ...] = (1.0, 1.0)
    noise_db: tuple[float, ...] = (-90.0, -40.0)
    masked_bands: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run, besides the data.

    Attributes:
        name: of the checkpoint.
        smoothing: share of each label that is spread over all of them.
        half: whether checkpoints hold float16.
    """

    name: str = "asgan-classifier"
    model: ClassifierConfig = field(default_factory=ClassifierConfig)
    data: DataSettings = field(default_factory=DataSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    smoothing: float = 0.02
    half: bool = False

    def __post_init__(self) -> None:
        """Refuse settings that do not go together.

        Raises:
            SettingsError: there are not as many words as labels.
        """
        if len(self.data.words) != self.model.nlabels:
            raise SettingsError(f"data.words: {len(self.data.words)}: must be model.nlabels")


class ClassifierRecipe(Recipe):
    """`trainers.recipe.Recipe` for the classifier."""

    monitor = "error"

    def __init__(self, settings: Settings, source: Path, device: torch.device) -> None:
        """Make the network and find the words.

        Raises:
            InputError: there are no words.
        """
        self.settings, self.device = settings, device
        self.training = words(source, "train", settings.data.words)
        self.held_out = words(source, "validation", settings.data.words)
        self.networks: dict[str, nn.Module] = {CLASSIFIER: Classifier(settings.model).to(device)}
        self._sound = Remembered(self._read)

    def item(self, generator: np.random.Generator) -> Item:
        """Return one word's picture, changed at random, and its label."""
        data = self.settings.data
        recording = self.training[int(generator.integers(len(self.training)))]
        word = self._sound(recording)[0]
        low, high = min(data.speeds), max(data.speeds)
        if low < high:
            word = soxr.resample(word, generator.uniform(low, high), 1.0)
        if data.trim_db:
            word = word[:SAMPLES]
            whole = np.zeros(SAMPLES, np.float32)
            start = int(generator.integers(SAMPLES - len(word) + 1))
            whole[start : start + len(word)] = word / max(np.abs(word).max(initial=0), 1e-6)
            word = whole
        lowest, highest = data.noise_db
        level = 10 ** (generator.uniform(lowest, highest) / 20) * np.abs(word).max(initial=0)
        word = word + (level * generator.standard_normal(len(word))).astype(np.float32)
        picture = mel_pictures(torch.from_numpy(word)[None])[0].numpy()
        if data.masked_bands:
            first = int(generator.integers(picture.shape[1]))
            picture[:, first : first + int(generator.integers(data.masked_bands + 1))] = _FLOOR_DB
        return {"picture": picture, "label": np.asarray(self._label(recording))}

    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the cross-entropy."""
        logits = self.networks[turn.network](batch["picture"])
        smoothing = self.settings.smoothing
        loss = cross_entropy(logits, batch["label"], label_smoothing=smoothing)
        return TurnResult({TOTAL: loss})

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return the share of held-out words that are taken for another."""
        own, wrong = self.world.share(self.held_out), []
        for start in range(0, len(own), _BATCH):
            part = own[start : start + _BATCH]
            sound = torch.cat([self._whole(one) for one in part])
            found = networks[CLASSIFIER](mel_pictures(sound).to(self.device)).argmax(1).cpu()
            labels = torch.tensor([self._label(one) for one in part])
            wrong.append(int((found != labels).sum()))
        return {"error": sum(self.world.gathered({"wrong": wrong})["wrong"]) / len(self.held_out)}

    def examples(self, networks: Mapping[str, nn.Module], count: int) -> Sequence[Example]:
        """Return nothing: there is no sound to listen to."""
        return []

    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write the classifier as a checkpoint for `eval --classifier`."""
        settings = self.settings
        state = networks[CLASSIFIER].state_dict()
        config = {"classifier": asdict(settings.model), "rate": RATE}
        tensors = {CLASSIFIER_PREFIX + name: tensor for name, tensor in state.items()}
        export(path, settings, "asgan", config, tensors)

    def _label(self, recording: Recording) -> int:
        return label_of(recording.path, self.settings.data.words) or 0

    def _whole(self, recording: Recording) -> Tensor:
        return one_second(torch.from_numpy(self._sound(recording)))

    def _read(self, recording: Recording) -> Chunk:
        sound, rate = read_own(recording)
        word = sound[0]
        if self.settings.data.trim_db:
            word = trimmed(word, rate, self.settings.data.trim_db)
        if rate != RATE:
            word = soxr.resample(word, rate, RATE)
        return np.ascontiguousarray(word[None], np.float32)
