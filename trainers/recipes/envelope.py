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

from audiofix.backends.envelope.bands import analysed
from audiofix.backends.envelope.extrapolation import extrapolated
from audiofix.backends.envelope.filling import KEPT_SHARE
from audiofix.backends.envelope.network import EnvelopeNetwork, highest_level

_SETTLED = 0.12
"""How much of the running levels' time must have passed before music is asked to end where its rate
ends: nobody can hear so early that it is music."""


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
        """Return a clip's analysis, the first missing band at each edge, and the known bands."""
        return self._clips.item(generator)

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
                "edges": np.array([int(KEPT_SHARE * input_rate / 2 / config.band_hz)]),
                **told(known, empty_hz, chain.ends, config),
            }
            batch = {k: torch.from_numpy(v)[None].to(self.device) for k, v in item.items()}
            found.append((f"{recording.kind}{input_rate}", batch))
        return found

    def _distances(self, network: nn.Module, batch: Batch, *, cautious: bool) -> Tensor:
        """Return the distance of each frame, `[batch * edges, frames]`."""
        config, loss = self.settings.model, self.settings.loss
        edges = batch["edges"].shape[1]
        statistics, heard, known, empty, unknown = (
            batch[name].repeat_interleave(edges, dim=0)
            for name in ("statistics", "heard", "known", "empty", "open")
        )
        first = batch["edges"].flatten()[:, None]
        edge = first.expand(heard.shape)
        ahead = config.lookahead
        level = statistics[:, : heard.shape[1] - ahead, 0]
        start = extrapolated(statistics, edge)[:, ahead:]
        predicted = network(statistics, heard, edge)[:, ahead:]
        predicted = torch.minimum(predicted, highest_level(level, edge[:, ahead:]))
        bands = torch.arange(config.bands, device=self.device)
        settled = heard[:, : level.shape[1], None] > _SETTLED
        believed = ((bands >= first) & known)[:, None]
        weight = believed + loss.ends * (empty[:, None] & settled) + loss.open * unknown[:, None]
        error = predicted - torch.where(unknown[:, None], torch.maximum(level, start), level)
        if cautious:
            lowered = batch["lowered"].flatten(0, 1)[:, : level.shape[1]]
            error = error + lowered
            low = bands * config.band_hz < loss.cautious_hz
            overshoot = batch["overshoot"].repeat_interleave(edges)[:, None, None]
            error = torch.where((error > 0) & low, error * overshoot.sqrt(), error)
        square = error.square() * weight
        if cautious:
            square = square + loss.prior * (predicted - start + lowered).square() * believed
        return torch.sqrt(square.sum(-1) / weight.sum(-1).clamp(min=1) + loss.randomness)
