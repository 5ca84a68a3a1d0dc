"""Sound of a mel spectrum without a vocoder: amplitudes of bins, then phases that fit them."""

from torch import Tensor
from torch.nn.functional import pad

from audiofix.backends.asgan.features import MelConfig
from audiofix.dsp.griffin_lim import griffin_lim
from audiofix.dsp.mel import linear_amplitudes, mel_filters


def from_mel(features: Tensor, mel: MelConfig) -> Tensor:
    """Return sound `[batch, frames * hop]` of features `[batch, frames, bands]`.

    Amplitudes at the spectrum's floor count as silence.
    """
    amplitudes = (mel.amplitudes(features) - mel.floor).clamp(min=0)
    filters = mel_filters(mel.rate, mel.fft_size, mel.bands)
    magnitudes = linear_amplitudes(amplitudes, filters)
    # The spectrum's frames are centred half a hop behind multiples of the hop.
    sound = griffin_lim(pad(magnitudes, (1, 1)), mel.hop)
    start = mel.hop // 2
    return sound[:, start : start + features.shape[1] * mel.hop]
