"""What every upsampler asks of a request before it works."""

import logging

from audiofix.audio.format import AudioFormat
from audiofix.backends.tasks import UpsampleRequest
from audiofix.errors import InputError, UsageError

log = logging.getLogger(__name__)

_LOWEST_RATE = 1000
"""Below it there is no band to restore from."""


def check_request(source: AudioFormat, request: UpsampleRequest) -> None:
    """Check what does not hang on the model.

    Raises:
        UsageError: the cutoff lies outside the input's band.
        InputError: the source's rate is too low.
    """
    cutoff_hz = request.cutoff_hz
    if source.rate < _LOWEST_RATE:
        raise InputError(
            f"{source.rate} Hz: below {_LOWEST_RATE} Hz there is no band to restore from: "
            "check the header"
        )
    if cutoff_hz is not None and not 0 < cutoff_hz <= source.rate / 2:
        raise UsageError(
            f"--cutoff {cutoff_hz:g}: a {source.rate} Hz input holds 0 to "
            f"{source.rate / 2:g} Hz: name a frequency in between"
        )
    log.info(
        "%d Hz in, %d Hz out; band ends %s",
        source.rate,
        request.to_rate,
        "where it is found to" if cutoff_hz is None else f"at {cutoff_hz:g} Hz",
    )


def refuse_steps(name: str, request: UpsampleRequest) -> None:
    """Refuse sampling steps for a model that takes none.

    Raises:
        UsageError: the request has some.
    """
    if request.steps is not None:
        raise UsageError(f"--steps: {name} is no diffusion model: leave --steps out")
