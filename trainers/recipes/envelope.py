"""How the envelope network is trained: on the levels of bands, without making any sound.

An item is the analysis of a clip as `upsample` would see it; see `envelope_items`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from audiofix.trainers.checkpoint import export
from audiofix.trainers.data.clips import read_own
from audiofix.trainers.data.corpora import recordings, spread
from audiofix.trainers.data.manifest import Recording
from audiofix.trainers.recipe import TOTAL, Batch, Item, Recipe, Turn, TurnResult
from audiofix.trainers.recipes.envelope_items import LEAST_BAND_HZ, Clips, known_hz, told
from audiofix.trainers.recipes.envelope_settings import Chain, Settings
from audiofix.trainers.run_log import Example
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from audiofix.backends.envelope.bands import analysed
from audiofix.backends.envelope.filling import KEPT_SHARE
from audiofix.backends.envelope.network import EnvelopeNetwork, highest_level

Sound = tuple[Tensor, Tensor, Tensor]
"""What a network hears; see `EnvelopeNetwork.forward`."""

_SURE = 0.98
"""The gate is asked for this and not for certainty, which no voice and no instrument deserves."""


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
        self._clips = Clips(self.training, data, settings.model)
        self._held_out: list[tuple[str, Batch]] = []

    def item(self, generator: np.random.Generator) -> Item:
        """Return a clip's analysis, the first missing band, and which bands are known."""
        return self._clips.item(generator)

    def losses(self, turn: Turn, batch: Batch) -> TurnResult:
        """Return the distance of each item's own expert, and the gate's cross-entropy."""
        network = self.networks[turn.network]
        assert isinstance(network, EnvelopeNetwork)
        sound, voice = self._sound(batch), batch["voice"].bool()
        levels = _by_own_experts(network, sound, voice)
        distance = self._distances(levels, sound, batch).mean()
        asked = torch.where(voice, _SURE, 1 - _SURE)[:, None].expand_as(sound[1])
        gate = binary_cross_entropy_with_logits(network.gate(*sound), asked)
        return TurnResult({TOTAL: distance + self.settings.loss.gate * gate, "gate": gate})

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
            sound = self._sound(batch)
            levels, _ = networks["generator"](*sound)
            distance = self._distances(levels, sound, batch)
            share = 1 - batch["edge"].item() / self.settings.model.bands
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

    def _validated(self, recording: Recording) -> Sequence[tuple[str, Batch]]:
        """Return a recording's analysis at each input rate that leaves something to predict."""
        config = self.settings.model
        sound, rate = read_own(recording)
        known = known_hz(recording, rate, config.top_hz)
        chain = self.settings.data.chains.get(recording.kind, Chain())
        empty_hz = rate / 2 if chain.ends else config.top_hz
        statistics, heard = analysed(sound[0], rate, config.bands, config.band_hz)
        found = []
        for input_rate in self.settings.data.validation_rates:
            if input_rate / 2 >= known - LEAST_BAND_HZ:
                continue
            item = {
                "statistics": statistics,
                "heard": heard,
                "edge": np.array(int(KEPT_SHARE * input_rate / 2 / config.band_hz)),
                **told(known, empty_hz, config),
            }
            batch = {k: torch.from_numpy(v)[None].to(self.device) for k, v in item.items()}
            found.append((f"{recording.kind}{input_rate}", batch))
        return found

    def _sound(self, batch: Batch) -> Sound:
        """Return what the network hears: statistics, how much they rest on, and the edge."""
        heard = batch["heard"]
        return batch["statistics"], heard, batch["edge"][:, None].expand(heard.shape)

    def _distances(self, levels: Tensor, sound: Sound, batch: Batch) -> Tensor:
        """Return the distance of each frame from the truth, `[batch, frames]`.

        Args:
            levels: what the network says.
            sound: what it heard.
            batch: which bands are known.
        """
        config, loss = self.settings.model, self.settings.loss
        statistics, _, edge = sound
        ahead = config.lookahead
        truth = statistics[:, : len(edge[0]) - ahead, 0]
        levels = torch.minimum(levels[:, ahead:], highest_level(truth, edge[:, ahead:]))
        bands = torch.arange(config.bands, device=self.device)
        known = ((bands >= edge[:, :1]) & batch["known"])[:, None]
        weight = known + loss.ends * batch["empty"][:, None]
        square = (levels - truth).square() * weight
        return torch.sqrt(square.sum(-1) / weight.sum(-1).clamp(min=1) + loss.randomness)


def _by_own_experts(network: EnvelopeNetwork, sound: Sound, voice: Tensor) -> Tensor:
    """Return what each item's own expert says, `[batch, frames, bands]`."""
    levels = torch.empty_like(sound[0][:, :, 0])
    for expert, own in ((network.voice, voice), (network.music, ~voice)):
        levels = levels.index_put((own.nonzero()[:, 0],), expert(*(part[own] for part in sound)))
    return levels
