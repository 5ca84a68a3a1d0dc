"""What every model that fills gaps shares: where the gaps are, and where its draws come from."""

import numpy as np

from audiofix.audio.format import AudioFormat
from audiofix.backends.tasks import InpaintRequest
from audiofix.dsp.gap_finder import LONGEST_FOUND_SECONDS, GapFinder
from audiofix.streaming.gaps import Fill, FillGaps, GapSource, KnownGaps
from audiofix.streaming.stage import Stage


def gap_stage(source: AudioFormat, request: InpaintRequest, fill: Fill, *, context: int) -> Stage:
    """Return a stage that fills the gaps of a request, or those that it finds.

    Args:
        source: of the stream.
        request: names the gaps, or leaves them to be found.
        fill: what fills one.
        context: samples on each side that `fill` sees.

    Raises:
        UsageError: a gap makes no sense.
    """
    gaps: GapSource
    if request.gaps is None:
        gaps = GapFinder(source)
        longest = round(LONGEST_FOUND_SECONDS * source.rate)
    else:
        gaps = KnownGaps(request.gaps, source)
        longest = gaps.longest
    return FillGaps(source, gaps, fill, context=context, longest=longest)


def draws_of(seed: int, place: int, stream: int = 0) -> np.random.Generator:
    """Return the generator of everything that is drawn for one place of a recording.

    Philox counts (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a draw
    depends on the seed and the place alone, not on the device, the batch or what came before.

    Args:
        seed: the user's.
        place: sample or frame.
        stream: tells what is drawn for one place apart.
    """
    key = np.array([seed, stream], np.uint64)
    return np.random.Generator(np.random.Philox(counter=[0, 0, 0, place], key=key))
