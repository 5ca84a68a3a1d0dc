"""What the classifier of digits sees: a mel picture of one second (specification, section 8)."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from audiofix.dsp.mel import mel_filters

RATE = 16000
SAMPLES = 16000
"""Of a picture's sound: one second."""

_FFT_SIZE, _HOP, _BANDS = 2048, 512, 32
_POWER_FLOOR = 1e-10
_RANGE_DB = 80.0


def mel_pictures(sound: Tensor) -> Tensor:
    """Return pictures in dB below each clip's loudest point, `[batch, 1, 32, 32]`, -80 to 0.

    Args:
        sound: `[batch, samples]` at 16 kHz; brought to one second, the middle kept.
    """
    sound = one_second(sound)
    window = torch.hann_window(_FFT_SIZE, dtype=sound.dtype, device=sound.device)
    spectra = torch.stft(
        sound, _FFT_SIZE, _HOP, _FFT_SIZE, window, pad_mode="constant", return_complex=True
    )
    power = mel_filters(RATE, _FFT_SIZE, _BANDS).to(sound.device) @ spectra.abs().square()
    level = 10 * power.clamp(min=_POWER_FLOOR).log10()
    loudest = level.amax((1, 2), keepdim=True)
    return (level - loudest).clamp(min=-_RANGE_DB)[:, None]


def one_second(sound: Tensor) -> Tensor:
    """Return `[batch, 16000]` of `[batch, samples]`: zeros around it, or its middle."""
    missing = SAMPLES - sound.shape[1]
    if missing < 0:
        start = -missing // 2
        return sound[:, start : start + SAMPLES]
    return pad(sound, (missing // 2, missing - missing // 2))
