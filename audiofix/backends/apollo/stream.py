"""Apollo as a stream: frames pass once, and every layer keeps the few that it needs again.

The attention sees one frame at a time, and each of the three convolutions of a block reaches three
frames to either side. So a layer that remembers the last six frames of its input gives the very
values of the whole file, three frames later: no tile is computed twice, and there is no seam.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from audiofix.backends.apollo.blocks import KERNEL_FRAMES, TimeUnit, convolve
from audiofix.backends.apollo.network import Apollo
from audiofix.backends.placement import Placement

_REACH = KERNEL_FRAMES // 2


class FrameStream:
    """The network on spectra that arrive piece by piece."""

    def __init__(self, network: Apollo, placement: Placement) -> None:
        """Start before the first frame."""
        self._network = network
        self._placement = placement
        self._histories: dict[TimeUnit, Tensor] = {}
        self._spectra: Tensor | None = None
        """Frames of the input whose estimate is not final yet."""

    def push(self, spectra: Tensor, seen: Tensor, *, last: bool = False) -> Tensor:
        """Return the estimate's frames that are now final, `[rows, any, bins]`.

        Args:
            spectra: the next frames of the input, `[rows, frames, bins]`.
            seen: what the network sees of them, noise included.
            last: whether no more will come; then all that is missing is returned.
        """
        network = self._network
        waiting = spectra if self._spectra is None else torch.cat([self._spectra, spectra], 1)
        features = network.encode(seen)
        with self._placement.autocast():
            for block in network.blocks():
                features = block.across(features)
                for unit in block.seq_net.units():
                    features = self._convolve(unit, features, last)
        count = features.shape[1]
        self._spectra = waiting[:, count:]
        return network.decode(features, waiting[:, :count])

    def _convolve(self, unit: TimeUnit, x: Tensor, last: bool) -> Tensor:
        history = self._histories.get(unit)
        # The stream begins as the whole file is padded.
        history = x.new_zeros((len(x), _REACH, *x.shape[2:])) if history is None else history
        x = torch.cat([history, x], dim=1)
        if last:
            x = pad(x, (0, 0, 0, 0, 0, _REACH))
        self._histories[unit] = x[:, -2 * _REACH :].clone()
        return x[:, :0] if x.shape[1] < KERNEL_FRAMES else convolve(unit, x)


class SoundStream:
    """The network on samples that arrive piece by piece: the very result of `Apollo.forward`."""

    def __init__(self, network: Apollo, placement: Placement) -> None:
        """Start before the first sample."""
        self._network = network
        self._frames = FrameStream(network, placement)
        self._waiting: Tensor | None = None
        """Sound, and what is seen of it, from the start of the next frame's window on."""
        self._tail: Tensor | None = None
        """Half a window before the end, and one sample, for the reflection there."""
        self._estimate: Tensor | None = None
        """The newest frames of the estimate, at most two: the next ones overlap them."""
        self._samples_in = 0
        self._samples_out = 0

    def push(self, samples: Tensor, *, last: bool = False) -> Tensor:
        """Return the samples of the estimate that are now final, `[rows, any]`.

        Args:
            samples: the next ones, `[rows, samples]`; at the first call more than half a window.
            last: whether no more will come; then all that is missing is returned, so that the
                estimate is as long as what came in.
        """
        config, rows = self._network.config, samples.shape[0]
        half = config.window // 2
        both = self._with_dither(samples)
        self._samples_in += samples.shape[1]
        tail = both if self._tail is None else torch.cat([self._tail, both], dim=1)
        self._tail = tail[:, -half - 1 :].clone()
        if self._waiting is None:
            both = pad(both, (half, 0), "reflect")
        else:
            both = torch.cat([self._waiting, both], dim=1)
        if last:
            both = torch.cat([both, self._tail[:, :-1].flip(1)], dim=1)
        spectra = self._network.framed(both)
        self._waiting = both[:, spectra.shape[1] * config.hop :].clone()
        return self._joined(self._frames.push(spectra[:rows], spectra[-rows:], last=last), last)

    def _with_dither(self, samples: Tensor) -> Tensor:
        if not self._network.config.dither:
            return samples
        noise = self._network.dither(self._samples_in, samples.shape[1])
        return torch.cat([samples, samples + noise])

    def _joined(self, made: Tensor, last: bool) -> Tensor:
        """Return the samples that only frames up to now decide, after those returned before."""
        hop = self._network.config.hop
        before = 0 if self._estimate is None else self._estimate.shape[1]
        frames = made if self._estimate is None else torch.cat([self._estimate, made], dim=1)
        self._estimate = frames[:, -2:].clone()
        # Of two earlier frames, the samples up to the second one's centre are out.
        done = hop * max(0, before - 1)
        begin = self._samples_out - done
        if last:
            result = self._network.sound(frames, self._samples_in - begin)[:, done:]
        elif frames.shape[1] > 1:
            result = self._network.sound(frames, hop * (frames.shape[1] - 1))[:, done:]
        else:
            result = frames.real.new_empty((len(frames), 0))
        self._samples_out += result.shape[1]
        return result
