"""How AudioDec's autoencoder is trained (specification, sections 10 and 11).

Stage 1 learns encoder, codebooks and decoder from spectral distances; stage 2 keeps the codes as
they are and teaches the decoder with a discriminator. Denoising trains an encoder for codebooks and
decoder that exist. Small data sets can start without codes at all and take the first codebooks from
the encoder's own vectors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from audiofix.trainers.codebooks import codebooks_from
from audiofix.trainers.data.clips import Clips, read_sound
from audiofix.trainers.data.corpora import recordings, spread
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.data.noise import add_noise
from audiofix.trainers.journal import Example
from audiofix.trainers.loop import TOTAL, Batch, Item, LoopSettings, Losses
from audiofix.trainers.losses import adversarial
from audiofix.trainers.losses.spectral import Resolution, spectral_losses
from audiofix.trainers.transform_start import start_as_transform
from torch import Tensor, nn
from torch.nn.functional import pad

from audiofix.audio.format import Chunk
from audiofix.backends.audiodec.autoencoder import Autoencoder
from audiofix.backends.audiodec.config import AutoencoderConfig
from audiofix.backends.weights import Checkpoint, fill_module, load_checkpoint, save_checkpoint
from audiofix.dsp.mel import log_mel, mel_filters

_SILENCE = 1e-3
"""Mean size of samples below which a clip counts as silence in the waveform loss."""
_WORST_DIFFERENCE = 4.0

Part = Literal["encoder", "decoder"]

_START_SEED = 0
_START_CLIPS = 400
"""Clips that a transform start and the first codebooks are made of."""


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What clips are cut from.

    Attributes:
        rate: samples per second of the model.
        samples: of a clip, a multiple of the hop.
        folders: names of the folders whose files are used, none for all.
        speeds: playback speeds to draw from.
        noise_db: lowest and highest signal-to-noise ratio of the encoder's input, for a denoising
            encoder; none for clean input.
        validation_files: files validated, spread over the split; 0 for all.
    """

    rate: int = 48000
    samples: int = 9600
    folders: tuple[str, ...] = ()
    speeds: tuple[float, ...] = (1.0,)
    noise_db: tuple[float, ...] = ()
    validation_files: int = 16


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of the losses; what weighs nothing is not computed.

    Attributes:
        mel: log-mel distance (published: 45).
        mel_fft: samples of its transform.
        mel_bands: of its filters.
        stft: multi-resolution STFT loss, at windows that fit `rate` (published: off).
        waveform: distance of the samples, relative to the target's size (ours: few steps do not
            suffice to find phases from spectra alone).
        commitment: of the encoder to its codes (published: 1).
        adversarial: of the discriminator's scores.
        features: of its feature maps.
    """

    mel: float = 45.0
    mel_fft: int = 2048
    mel_bands: int = 80
    stft: float = 0.0
    waveform: float = 0.0
    commitment: float = 1.0
    adversarial: float = 0.0
    features: float = 0.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a run, besides the data.

    Attributes:
        name: of the checkpoint.
        transform_start: begin as a linear transform codec; see `trainers.transform_start`.
        late_frames: frames that the sound may come late; a stream makes up for them.
        quantised: whether vectors pass through the codebooks.
        codebooks_from_data: make the codebooks, before the first step, of the encoder's vectors.
        learn_codebooks: move the codebooks with every step (published stage 1).
        frozen: parts that keep their weights: `encoder` (stage 2) or `decoder` (denoising).
        start: checkpoint to start from, empty for fresh weights.
        half: whether checkpoints hold float16.
    """

    name: str = "audiodec"
    model: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    data: DataSettings = field(default_factory=DataSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    transform_start: bool = False
    late_frames: int = 0
    quantised: bool = True
    codebooks_from_data: bool = False
    learn_codebooks: bool = True
    frozen: tuple[Part, ...] = ()
    start: str = ""
    half: bool = False


class AudioDecRecipe:
    """`trainers.loop.Recipe` for the autoencoder."""

    monitor = "mel"

    def __init__(self, settings: Settings, source: Path, device: torch.device) -> None:
        """Make the networks and find the data.

        Raises:
            InputError: there is no data.
            CheckpointError: the checkpoint to start from does not fit.
        """
        self.settings, self.device = settings, device
        data = settings.data
        self.training = self._recordings(source, "train")
        self.held_out = spread(self._recordings(source, "validation"), data.validation_files)
        self._clips = Clips(self.training, data.rate, data.samples, data.speeds)
        codec = Autoencoder(settings.model)
        if settings.start:
            start = load_checkpoint(settings.start)
            fill_module(codec, start.tensors, start.name)
        if settings.transform_start:
            draws = (np.random.default_rng([_START_SEED, n]) for n in range(_START_CLIPS))
            clips = torch.cat([torch.from_numpy(self._clips.draw(draw)) for draw in draws])
            start_as_transform(codec, clips.reshape(-1, settings.model.hop))
        if settings.codebooks_from_data:
            self._make_codebooks(codec)
        self.networks: dict[str, nn.Module] = {"generator": codec.to(device)}
        if settings.loss.adversarial or settings.loss.features:
            from audiofix.backends.audiodec.discriminator import build

            self.networks["discriminator"] = build({}).to(device)
        self._filters = mel_filters(data.rate, settings.loss.mel_fft, settings.loss.mel_bands)

    def _recordings(self, source: Path, split: str) -> list[Recording]:
        folders = self.settings.data.folders
        found = recordings(source, split)
        return [r for r in found if not folders or r.path.parent.name in folders]

    def _make_codebooks(self, codec: Autoencoder) -> None:
        draws = (np.random.default_rng([_START_SEED, n]) for n in range(_START_CLIPS))
        with torch.inference_mode():
            vectors = [
                codec.projector(codec.encoder(torch.from_numpy(self._clips.draw(draw))[None]))
                for draw in draws
            ]
        # The first frames of a clip see the zeros before it.
        rows = torch.cat([one[0, :, 8:].t() for one in vectors]).clone()
        codebooks_from(rows, codec.quantizer.codebook, _START_SEED)

    def item(self, generator: np.random.Generator) -> Item:
        """Return a clip, and the encoder's input: the clip, or noise over it."""
        clean = self._clips.draw(generator)
        noise_db = self.settings.data.noise_db
        heard = (
            add_noise(clean, self._clips.draw(generator), noise_db, generator)
            if noise_db
            else clean
        )
        return {"clean": clean, "heard": heard}

    def losses(self, turn: str, batch: Batch) -> Losses:
        """Return the losses of one network's turn."""
        return self._generator(batch) if turn == "generator" else self._discriminator(batch)

    def _generator(self, batch: Batch) -> Losses:
        settings, codec = self.settings, self.networks["generator"]
        assert isinstance(codec, Autoencoder)
        codec.quantizer.train(settings.learn_codebooks and codec.training)
        for part in settings.frozen:
            for network in (
                (codec.encoder, codec.projector) if part == "encoder" else (codec.decoder,)
            ):
                network.requires_grad_(False)
        made, commitment = self._made(codec, batch["heard"])
        batch["made"] = made.detach()
        weights, parts = settings.loss, {}
        estimate, target = made[:, 0].float(), batch["clean"][:, 0]
        if weights.mel:
            parts["mel"] = weights.mel, self._mel_distance(estimate, target)
        if weights.stft:
            convergence, distance = spectral_losses(
                estimate, target, _resolutions(settings.data.rate), each=True
            )
            parts["stft"] = weights.stft, convergence + distance
        if weights.waveform:
            size = target.abs().mean(1).clamp(min=_SILENCE)
            difference = (estimate - target).abs().mean(1) / size
            parts["waveform"] = weights.waveform, difference.clamp(max=_WORST_DIFFERENCE).mean()
        if settings.quantised:
            parts["commitment"] = weights.commitment, commitment
        if "discriminator" in self.networks:
            parts |= self._judged(batch["clean"], made)
        total = torch.stack([weight * loss for weight, loss in parts.values()]).sum()
        return {name: loss for name, (_, loss) in parts.items()} | {TOTAL: total}

    def _judged(self, clean: Tensor, made: Tensor) -> dict[str, tuple[float, Tensor]]:
        weights, judge = self.settings.loss, self.networks["discriminator"]
        with torch.no_grad():
            real = judge(clean)
        fake = judge(made)
        scores = [maps[-1] for maps in fake]
        distances = [
            (f - r).abs().mean()
            for ours, theirs in zip(fake, real, strict=True)
            for f, r in zip(ours[:-1], theirs[:-1], strict=True)
        ]
        return {
            "adversarial": (weights.adversarial, adversarial.least_squares_generator(scores)),
            "features": (weights.features, torch.stack(distances).sum()),
        }

    def _discriminator(self, batch: Batch) -> Losses:
        judge = self.networks["discriminator"]
        real = [maps[-1] for maps in judge(batch["clean"])]
        fake = [maps[-1] for maps in judge(batch["made"])]
        return {TOTAL: adversarial.least_squares_discriminator(real, fake)}

    def validate(self, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Return the mean log-mel distance of held-out files, and the words in use."""
        distances = []
        for recording in self.held_out:
            clip = self._held_out_clip(recording)
            made, _ = self._made(networks["generator"], clip)
            distances.append(self._mel_distance(made[:, 0], clip[:, 0]).item())
        return {"mel": float(np.mean(distances))}

    def examples(self, networks: Mapping[str, nn.Module], count: int) -> Sequence[Example]:
        """Return held-out clips: input and estimate."""
        examples = []
        for recording in spread(self.held_out, count):
            clip = self._held_out_clip(recording)
            made, _ = self._made(networks["generator"], clip)
            sounds = {"input": clip[0].cpu().numpy(), "estimate": made[0].cpu().numpy()}
            examples.append(Example(recording.path.stem, self.settings.data.rate, sounds))
        return examples

    def export(self, networks: Mapping[str, nn.Module], path: Path) -> None:
        """Write the codec as a checkpoint for `encode --model`."""
        settings = self.settings
        config = {"rate": settings.data.rate, "autoencoder": asdict(settings.model)}
        config["late_frames"] = settings.late_frames
        tensors = networks["generator"].state_dict()
        checkpoint = Checkpoint(settings.name, "audiodec", config, tensors, str(path))
        save_checkpoint(path, checkpoint, half=settings.half)

    def _made(self, codec: nn.Module, heard: Tensor) -> tuple[Tensor, Tensor]:
        """Return the decoded sound `[batch, 1, samples]` and the codes' commitment."""
        assert isinstance(codec, Autoencoder)
        late = self.settings.late_frames * self.settings.model.hop
        vectors = codec.projector(codec.encoder(pad(heard, (0, late))))
        commitment = vectors.new_zeros(())
        if self.settings.quantised:
            found = codec.quantizer(vectors)
            vectors, commitment = found.vectors, found.losses.sum()
        return codec.decoder(vectors)[..., late : late + heard.shape[-1]], commitment

    def _mel_distance(self, estimate: Tensor, target: Tensor) -> Tensor:
        hop = self.settings.model.hop
        made, wanted = (log_mel(x, self._filters, hop) for x in (estimate, target))
        return (made - wanted).abs().mean()

    def _held_out_clip(self, recording: Recording) -> Tensor:
        sound: Chunk = read_sound(recording, self.settings.data.rate)[:1]
        hop = self.settings.model.hop
        return torch.from_numpy(sound[:, : sound.shape[1] // hop * hop])[None].to(self.device)


def _resolutions(rate: int) -> tuple[Resolution, ...]:
    """Return windows of 10, 25 and 64 ms."""
    found = []
    for seconds in (0.010, 0.025, 0.064):
        window = round(seconds * rate)
        found.append(Resolution(1 << (window - 1).bit_length(), window // 4, window))
    return tuple(found)
