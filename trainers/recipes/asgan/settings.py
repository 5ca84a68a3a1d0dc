"""What decides how ASGAN is trained."""

from dataclasses import dataclass, field

from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipes.asgan.word_features import WordSettings

from audiofix.backends.asgan.config import DiscriminatorConfig, GeneratorConfig
from audiofix.backends.asgan.features import MelConfig
from audiofix.backends.asgan.network import NORM_DECAY
from audiofix.errors import SettingsError


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of the losses.

    Attributes:
        adversarial: the generator's against the discriminator; 0 for no discriminator.
        r1: gamma of the penalty on the discriminator's gradient.
        r1_every: steps from one penalty to the next.
        reconstruction: distance of words that went through the recognition network; 0 for none.
        divergence: of that network's Gaussians from the standard one.
        mapping: energy distance of the mapping network's latents from the recognition network's,
            for each word; the largest of a Gaussian vector's first numbers says for which.
        slopes: distance of the reconstructed words' changes in time and frequency.
        classification: cross-entropy, by a classifier that learns beside, of reconstructed words
            and of new ones; 0 for no classifier.
    """

    adversarial: float = 1.0
    r1: float = 0.1
    r1_every: int = 8
    reconstruction: float = 0.0
    divergence: float = 0.002
    mapping: float = 1.0
    slopes: float = 0.0
    classification: float = 0.0


@dataclass(frozen=True, slots=True)
class AugmentationSettings:
    """Augmentation of features, and skipping of the discriminator's updates.

    Attributes:
        probability: at the start; 0 turns both off for good.
        noise: see `AdaptiveAugmentation`.
    """

    probability: float = 0.2
    noise: float = 0.05


@dataclass(frozen=True, slots=True)
class MappingStageSettings:
    """The mapping network's own stage, the last one of a run.

    Attributes:
        begins: at this step, from which all else stays as it is; 0 for no such stage.
        vectors: that it maps a step, of each word in each voice.
        truncation: factor of the distance of latents from the mean of their word and voice.
    """

    begins: int = 0
    vectors: int = 24
    truncation: float = 0.65


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run, besides the data.

    Attributes:
        name: of the checkpoint.
        recognition: convolutions of the recognition network.
        recognised: numbers of a latent that the recognition network finds, the first ones; the
            others are 0, and only give the mapping network its width.
        latents: of each word, which the mapping network learns from, the last ones.
        classifier: channels of the convolutions of the classifier that learns beside.
        norm_decay: of the levels that the generator's layers are normalised by.
        vocoder: checkpoint whose vocoder is exported with the generator; empty for none.
        half: whether checkpoints hold float16.
    """

    name: str = "asgan"
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    recognition: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    mel: MelConfig = field(default_factory=MelConfig)
    data: WordSettings = field(default_factory=WordSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    mapping_stage: MappingStageSettings = field(default_factory=MappingStageSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    classifier: tuple[int, ...] = (8, 16, 32)
    recognised: int = 32
    latents: int = 256
    norm_decay: float = NORM_DECAY
    vocoder: str = ""
    half: bool = False

    def __post_init__(self) -> None:
        """Refuse settings that do not go together.

        Raises:
            SettingsError: names the setting.
        """
        frames, bands = self.generator.frames, self.generator.c_dim
        pairs: dict[str, tuple[int, int]] = {}
        used = {"discriminator": self.loss.adversarial, "recognition": self.loss.reconstruction}
        for network in (name for name, weight in used.items() if weight):
            config = getattr(self, network)
            pairs |= {
                f"{network}.seq_len": (config.seq_len, frames),
                f"{network}.c_dim": (config.c_dim, bands),
            }
        if self.data.features == "mel":
            pairs["mel.bands"] = self.mel.bands, bands
        for name, (own, wanted) in pairs.items():
            if own != wanted:
                raise SettingsError(f"{name}: {own}: must be the generator's, {wanted}")
        if self.loss.reconstruction and not 0 < len(self.data.words) < self.generator.z_dim:
            raise SettingsError("loss.reconstruction: needs data.words, fewer than generator.z_dim")
        if self.latents < 4:
            raise SettingsError(f"latents: {self.latents}: must be at least 4, half for a step")
        if self.loss.reconstruction and not 0 < self.recognised <= self.generator.w_dim:
            raise SettingsError("recognised: must be at least 1, and at most generator.w_dim")
        if self.mapping_stage.begins and not self.loss.reconstruction:
            raise SettingsError("mapping_stage.begins: needs loss.reconstruction")
        if self.mapping_stage.vectors < 2:
            raise SettingsError("mapping_stage.vectors: must be at least 2")
        if not (self.loss.adversarial or self.loss.reconstruction):
            raise SettingsError("loss.adversarial: 0: needs loss.reconstruction")
