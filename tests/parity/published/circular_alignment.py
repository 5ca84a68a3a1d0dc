"""How the authors of Apollo align a decoded clip with its original.

Kept to be compared with: it turns the clip round, so that the decoder's start-up ends up at its
end. Our training codes clips with a margin and cuts them out of the middle (`coded_clips`).
"""

import numpy as np
from numpy.typing import NDArray

_PHAT_EPSILON = 1e-3


def circular_delay(decoded: NDArray[np.floating], original: NDArray[np.floating]) -> int:
    """Return by how many samples `decoded` is late, 0 to n - 1, both `[samples]`.

    Where the cross-correlation with whitened phase is largest in magnitude, the mean left out.
    """
    cross = np.fft.rfft(decoded) * np.fft.rfft(original).conj()
    cross /= np.abs(cross) + _PHAT_EPSILON
    cross[0] = 0
    return int(np.abs(np.fft.irfft(cross, len(original))).argmax())


def circularly_aligned(
    decoded: NDArray[np.floating], original: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return `decoded` `[channels, any]` at the length of `original`, turned by its first channel.

    What is missing at its end is the original's.
    """
    samples = original.shape[1]
    filled = np.concatenate([decoded[:, :samples], original[:, decoded.shape[1] :]], axis=1)
    return np.roll(filled, -circular_delay(filled[0], original[0]), axis=1)
