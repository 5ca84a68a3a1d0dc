"""VM-ASR as a stage: any rate in, any rate out, in bounded memory."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from numpy.typing import NDArray

from audiofix.audio.format import AudioFormat, Chunk, as_chunk
from audiofix.backends.placement import Placement
from audiofix.backends.spread import spread
from audiofix.backends.tasks import UpsampleRequest
from audiofix.backends.upsampling import check_request, refuse_steps
from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.backends.vmasr.enhance import enhance_spectra
from audiofix.backends.vmasr.fuse import fuse
from audiofix.backends.vmasr.network import VMASR
from audiofix.backends.weights import Checkpoint, filled_module
from audiofix.dsp.rolloff import BandEdge
from audiofix.streaming.correction import at_rate
from audiofix.streaming.overlap import TOGETHER, OverlapAdd
from audiofix.streaming.stage import Stage

_HOPS_PER_SECOND = 200
"""Both released hops, 240 at 48 kHz and 80 at 16 kHz, last 5 ms."""

# The scans see their whole window, so what its length does to the sound is no matter of reach: no
# context and no length make windows agree with one window over the whole recording, which is not
# the better one either. vmasr-small-48k on held-out speech and music (VCTK p225 and p234, val_band,
# up to 20 s each), means of 8 and 16 kHz input, by tests/bench/windows.py:
#
#     frames, context                    128, 8   256, 8  256, 32   512, 8  512, 32    whole
#     RMS difference from the whole       24.3%    20.3%    20.1%    19.5%    18.6%        0
#     lsd-hf to the recording             1.411    1.373    1.368    1.384    1.382    1.435
#     computing, of that without overlap   1.35     1.15     1.46     1.07     1.19        1
#     sound before the first sample      0.64 s   1.27 s   1.27 s   2.56 s   2.56 s      all

_WINDOW_FRAMES = 512
"""Frames of a window, as in the published training and inference."""

_OWN_WINDOW_FRAMES = 256
"""Of models of our own recipe, which learns from clips of 128."""

_CONTEXT_HOPS = 8
"""Hops discarded at an inner window edge, whose spectra and convolutions lack what lies beyond."""

_FADE_HOPS = 16
"""Hops over which neighbouring windows cross-fade."""

_PIECES_TOGETHER = 16
"""Channels of windows in one batch on a GPU; on the CPU each is a piece for one core, so that no
channel's bits depend on another."""

Piece = tuple[NDArray[np.float32], int]
"""One channel of a window, `[window]`, and its first bin to be set."""

Compute = Callable[[Sequence[Piece]], Sequence[NDArray[np.float32]]]

_KEPT_SHARE = 0.94
"""Part of the input's band that is kept: resamplers fade out over the last few per cent."""


def edge_bin(cutoff_hz: float, rate: int, bins: int) -> int:
    """Return the first bin that a band ending at `cutoff_hz` does not fill, its slope left out."""
    return min(bins, int(_KEPT_SHARE * cutoff_hz / (rate / 2) * bins))


def open(checkpoint: Checkpoint, placement: Placement) -> "VMASRRestorer":
    """Open a VM-ASR checkpoint.

    Raises:
        CheckpointError: the tensors do not fit the network.
    """
    config = dict(checkpoint.config)
    rate = config.pop("rate", None)
    filled = bool(config.pop("filled", False))
    settings = VMASRConfig.from_mapping(config)
    network = filled_module(lambda: VMASR(settings), checkpoint.tensors, checkpoint.name)
    network = network.eval().requires_grad_(False).to(placement.device)
    fuse(network, placement.dtype)
    model_rate = rate if isinstance(rate, int) else settings.hop_length * _HOPS_PER_SECOND
    return VMASRRestorer(checkpoint.name, model_rate, network, placement, filled=filled)


class VMASRRestorer:
    """A loaded VM-ASR. Holds weights; each stream's state is in its own stage."""

    def __init__(
        self, name: str, rate: int, network: VMASR, placement: Placement, *, filled: bool
    ) -> None:
        """Wrap a network that is in eval mode on its device."""
        self.name = name
        self.rate = rate
        self.network = network
        self.placement = placement
        self.filled = filled
        self._window_frames = _OWN_WINDOW_FRAMES if filled else _WINDOW_FRAMES
        self.computing: Compute = self.compute
        self._together = TOGETHER

    def stage(self, source: AudioFormat, request: UpsampleRequest) -> Stage:
        """Return a fresh stage: to the model's rate, through the network, to the wanted rate.

        Raises:
            UsageError: the request has settings that VM-ASR does not know, or that make no sense.
            InputError: the source's rate is too low.
        """
        refuse_steps(self.name, request)
        check_request(source, request)
        hop = self.network.config.hop_length

        def make(audio: AudioFormat) -> Stage:
            return OverlapAdd(
                audio,
                _Window(self, source, request),
                window=(self._window_frames - 1) * hop,
                context=_CONTEXT_HOPS * hop,
                fade=_FADE_HOPS * hop,
                together=self._together,
            )

        return at_rate(source, self.rate, request.to_rate, make)

    def compute(self, pieces: Sequence[Piece]) -> list[NDArray[np.float32]]:
        """Return the restored `[window]` of each piece; none depends on those beside it.

        Raises:
            DeviceError: the device has too little memory.
        """
        on_cpu = self.placement.device.type == "cpu"
        size = 1 if on_cpu else _PIECES_TOGETHER
        batches = [pieces[at : at + size] for at in range(0, len(pieces), size)]
        with self.placement.guard():
            done = spread(self._enhance, batches) if on_cpu else [*map(self._enhance, batches)]
        return [row for batch in done for row in batch]

    def compute_elsewhere(self, compute: Compute, together: int) -> None:
        """Let `compute` do what `compute` does, for streams that begin from now on."""
        self.computing, self._together = compute, max(TOGETHER, together)

    def _enhance(self, pieces: Sequence[Piece]) -> Chunk:
        """Return the restored `[pieces, window]` of some channels, each with its edge."""
        network, placement = self.network, self.placement
        waves, edges = np.stack([row for row, _ in pieces]), [edge for _, edge in pieces]
        # On the CPU the fused blocks know the precision: torch's other layers gain nothing from it.
        on_cpu = placement.device.type == "cpu"
        with torch.inference_mode(), nullcontext() if on_cpu else placement.autocast():
            source = network.transform(torch.from_numpy(waves)[:, None].to(placement.device))
            spectra = enhance_spectra(
                network,
                source,
                torch.tensor(edges, device=placement.device),
                filled=self.filled,
            )
            restored = network.inverse(spectra, waves.shape[1])
            return as_chunk(np.asarray(restored[:, 0].float().cpu()))


class _Window:
    """What one stream does to its windows.

    Remembers the long-term spectrum of everything that came before, so that the end of the band is
    found once there is enough sound, and found alike however the stream is cut.
    """

    def __init__(
        self, restorer: VMASRRestorer, source: AudioFormat, request: UpsampleRequest
    ) -> None:
        self._restorer = restorer
        self._top_hz = min(restorer.rate, request.to_rate) / 2
        self._band = BandEdge(restorer.rate, source.rate / 2, request.cutoff_hz)
        self._seen = 0

    def __call__(self, windows: Sequence[Chunk]) -> list[Chunk]:
        edges = [self._edge(window) for window in windows]
        pieces = [
            (row, edge)
            for window, edge in zip(windows, edges, strict=True)
            if edge is not None
            for row in window
        ]
        rows = iter(self._restorer.computing(pieces))
        return [
            window if edge is None else np.stack([next(rows) for _ in window])
            for window, edge in zip(windows, edges, strict=True)
        ]

    def _edge(self, window: Chunk) -> int | None:
        """Return the first bin to set in the next window, None where nothing is to be done."""
        config = self._restorer.network.config
        step = window.shape[1] - (2 * _CONTEXT_HOPS + _FADE_HOPS) * config.hop_length
        self._band.push(window[:, -step:] if self._seen else window)
        self._seen += 1
        cutoff_hz = self._band.find()
        if cutoff_hz >= self._top_hz or not window.any():
            return None  # nothing is missing, or there is nothing to restore from
        return edge_bin(cutoff_hz, self._restorer.rate, config.bins)
