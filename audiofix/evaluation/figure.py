"""One sound of a page: a spectrogram with its axes, and a player."""

import math
from base64 import b64encode
from html import escape

from audiofix.audio.format import Chunk
from audiofix.dsp.picture import spectrogram

_WIDTH, _HEIGHT = 480, 192
_MOST_TICKS = 6
_LAST_TICK = 0.93


def figure(method: str, caption: str, samples: Chunk, rate: int, sound: str | None) -> str:
    """Return a `<figure>`.

    Args:
        method: names the sound for the page's script.
        caption: stands above it.
        samples: `[channels, samples]`.
        rate: samples per second.
        sound: what the player plays, as a data URL; None for no player.
    """
    picture = data_url("image/png", spectrogram(samples, width=_WIDTH, height=_HEIGHT))
    kilohertz = _axis(rate / 2000, "bottom")
    seconds = _axis(samples.shape[1] / rate, "left")
    player = f'<audio controls preload="none" src="{sound}"></audio>' if sound else ""
    return (
        f'<figure data-method="{escape(method)}"><figcaption>{escape(caption)}</figcaption>'
        f"<div class=plot><div class=frequency>{kilohertz}<b>kHz</b></div>"
        f'<img alt="Spectrogram: {escape(caption)}" src="{picture}">'
        f"<div class=time>{seconds}<b>s</b></div></div>{player}</figure>"
    )


def data_url(kind: str, content: bytes) -> str:
    """Return content that needs no file beside the page."""
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"


def ticks(top: float) -> list[float]:
    """Return round numbers from 0 to `top`, two to six of them where `top` is above 0.

    >>> ticks(24), ticks(8)
    ([0.0, 5.0, 10.0, 15.0, 20.0], [0.0, 2.0, 4.0, 6.0, 8.0])
    """
    if top <= 0:
        return [0.0]
    power = 10.0 ** math.floor(math.log10(top / _MOST_TICKS))
    step = next(power * n for n in (1, 2, 5, 10) if top / (power * n) < _MOST_TICKS)
    return [float(f"{number * step:.6g}") for number in range(int(top / step + 1e-9) + 1)]


def _axis(top: float, side: str) -> str:
    """Return the numbers along an axis, placed from the given side; its end is the unit's place."""
    return "".join(
        f'<span style="{side}:{100 * number / top if top else 0:.2f}%">{number:g}</span>'
        for number in ticks(top)
        if number <= _LAST_TICK * top
    )
