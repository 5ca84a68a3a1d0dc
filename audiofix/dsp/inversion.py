"""Spectrograms to sound while they arrive: the phases of each frame follow from the frames before.

Each frame starts with the phases that its spectral peaks have reached since the last frame
(Beauregard, Harish and Wyse, "Single pass spectrogram inversion", 2015), and with what the sound so
far says of the frame. A few rounds make both agree (Zhu, Beauregard and Wyse, "Real-time signal
estimation from modified short-time Fourier transform magnitude spectra", 2007). Nothing looks
ahead, and the delay is that of the overlap alone.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import fold, pad

_TRUST_IN_PAST = 0.5
"""Weight of the sound so far beside the peaks, where a frame's phases begin."""

_TINY = 1e-9
_MOST_AMPLIFIED = 5.0
"""The analysis window ends near zero; what it hides cannot be divided out."""


class Windows(NamedTuple):
    """A pair of windows, each `[window]`, whose product is a Hann window at the end.

    Attributes:
        analysis: rises slowly and falls quickly, so that frames resolve harmonics and end early.
        synthesis: what an inverse transform is multiplied by before it is added to the others.
    """

    analysis: Tensor
    synthesis: Tensor


def asymmetric_windows(window: int, hop: int, span: int, fall: int) -> Windows:
    """Return windows for analysis and overlap-add with little delay (Mauler and Martin, 2007).

    Args:
        window: samples of a frame.
        hop: samples between frames; divides `span`, which is three hops or more.
        span: samples of the product window, at the frame's end.
        fall: samples in which the analysis window falls.

    Returns:
        Windows whose products sum to one over the frames. Both are zero at the last sample.
    """
    place = torch.arange(window, dtype=torch.float64, device="cpu")
    rise = window - fall
    analysis = torch.where(
        place < rise,
        torch.sin(math.pi / 2 * (place + 1) / rise),
        torch.cos(math.pi / 2 * (place - rise + 1) / fall),
    )
    analysis[-1] = 0
    product = torch.zeros(window, dtype=torch.float64, device="cpu")
    product[window - span :] = torch.hann_window(span, dtype=torch.float64, device="cpu").flip(0)
    product *= 2 * hop / span
    synthesis = torch.where(product > 0, product / analysis.clamp(min=_TINY), 0.0)
    return Windows(analysis.float(), synthesis.float())


class Inverted(NamedTuple):
    """What an inversion gives.

    Attributes:
        samples: `[..., window + frames * hop]`: the sound that was handed in and what came after
            it, the last `span - hop` samples not final yet.
        spectra: `[..., frames, window // 2 + 1]`, complex, with the phases that were found.
        sound: the last `window` of the samples, for the next call.
    """

    samples: Tensor
    spectra: Tensor
    sound: Tensor


class SpectrogramInversion:
    """Magnitudes to sound, frame by frame; computes in float32."""

    def __init__(self, window: int, hop: int, span: int, fall: int, iterations: int) -> None:
        """Prepare the windows; see `asymmetric_windows`.

        Args:
            window: samples of a frame.
            hop: samples between frames.
            span: samples that a frame adds to; sound is final `span - hop` samples behind.
            fall: samples in which the analysis window falls.
            iterations: rounds per frame.
        """
        self.window, self.hop, self.iterations = window, hop, iterations
        self.analysis, self.synthesis = asymmetric_windows(window, hop, span, fall)
        product = self.analysis * self.synthesis
        # What this frame and the later ones will have added at each place.
        sums = torch.zeros(window, device="cpu")
        for late in range(0, span, hop):
            sums[late:] += product[: window - late]
        self.expected = (sums / self.analysis.clamp(min=_TINY)).clamp(max=_MOST_AMPLIFIED)

    def begin(self, magnitudes: Tensor) -> tuple[Tensor, Tensor]:
        """Return what precedes a stream of such magnitudes: no sound, and an empty spectrum."""
        shape = magnitudes.shape[:-2]
        spectrum = magnitudes.new_zeros(*shape, self.window // 2 + 1, dtype=torch.complex64)
        return magnitudes.new_zeros(*shape, self.window), spectrum

    def __call__(self, magnitudes: Tensor, sound: Tensor, spectrum: Tensor) -> Inverted:
        """Return the next frames' sound.

        Args:
            magnitudes: `[..., frames, window // 2 + 1]`, of frames under the analysis window.
            sound: `[..., window]`, what overlap-add holds so far, up to the last frame's end.
            spectrum: `[..., window // 2 + 1]`, complex: the last frame's.
        """
        analysis, synthesis, expected = (
            one.to(sound.device) for one in (self.analysis, self.synthesis, self.expected)
        )
        turns = torch.polar(torch.ones_like(magnitudes), peak_phases(magnitudes, self.hop))
        pieces, spectra = [], []
        for magnitude, turn in zip(magnitudes.unbind(-2), turns.unbind(-2), strict=True):
            pieces.append(sound[..., : self.hop])
            sound = pad(sound[..., self.hop :], (0, self.hop))
            before = torch.fft.rfft(sound * analysis)
            guess = magnitude * _unit(spectrum) * turn + _TRUST_IN_PAST * before
            for _ in range(self.iterations):
                frame = torch.fft.irfft(magnitude * _unit(guess), self.window)
                guess = torch.fft.rfft((sound + frame * expected) * analysis)
            spectrum = magnitude * _unit(guess)
            spectra.append(spectrum)
            sound = sound + torch.fft.irfft(spectrum, self.window) * synthesis
        samples = torch.cat([*pieces, sound], dim=-1)
        return Inverted(samples, torch.stack(spectra, dim=-2), sound)

    def differentiable(self, magnitudes: Tensor) -> Tensor:
        """Return a whole signal's samples, as a call does; gradients take the phases as given.

        Args:
            magnitudes: `[batch, frames, window // 2 + 1]`.

        Returns:
            `[batch, window + frames * hop]`.
        """
        with torch.no_grad():
            phases = _unit(self(magnitudes, *self.begin(magnitudes)).spectra)
        frames = torch.fft.irfft(magnitudes * phases, self.window)
        pieces = (frames * self.synthesis.to(frames.device)).mT
        length = self.window + (magnitudes.shape[1] - 1) * self.hop
        added = fold(pieces, (1, length), (1, self.window), stride=(1, self.hop))
        return pad(added[:, 0, 0], (self.hop, 0))


def peak_phases(magnitudes: Tensor, hop: int) -> Tensor:
    """Return by how much each bin's phase advances in a hop, in radians.

    A bin belongs to the nearest spectral peak, whose frequency a parabola through the logarithms
    finds; a frame without peaks counts as one at 0 Hz.

    Args:
        magnitudes: `[..., bins]`.
        hop: samples between frames.
    """
    bins = magnitudes.shape[-1]
    size = 2 * (bins - 1)
    level = (magnitudes + _TINY).log()
    left, here, right = level[..., :-2], level[..., 1:-1], level[..., 2:]
    bend = (left - 2 * here + right).clamp(max=-1e-4)
    offset = (0.5 * (left - right) / bend).clamp(-0.5, 0.5)
    number = torch.arange(bins, device=magnitudes.device).expand(magnitudes.shape)
    frequency = number.float() + pad(offset, (1, 1))
    peak = pad((here > left) & (here >= right), (1, 1))
    below = torch.where(peak, number, -size).cummax(-1).values
    above = torch.where(peak, number, 2 * size).flip(-1).cummin(-1).values.flip(-1)
    nearest = torch.where(number - below <= above - number, below, above).clamp(0, bins - 1)
    return 2 * math.pi * hop / size * frequency.gather(-1, nearest)


def _unit(spectrum: Tensor) -> Tensor:
    """Return the phases as complex numbers of size one; where there is nothing, phase zero."""
    size = spectrum.abs()
    return torch.where(size > _TINY, spectrum / size.clamp(min=_TINY), 1.0)
