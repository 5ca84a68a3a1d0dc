"""VM-ASR as a stage: any rate in, any rate out, one window of bounded memory.

The published method (section 7 of its README's inference) hands the whole band to the network.
Here the network adds only what is missing: below the edge of the input's band the spectrum is the
input's own, with a short cross-fade at the edge.
"""

import logging

log = logging.getLogger(__name__)

HOPS_PER_SECOND = 200
"""Both released hops, 240 at 48 kHz and 80 at 16 kHz, are 5 ms."""

WINDOW_FRAMES = 512
"""Frames of one window; the network was trained on so many and needs a multiple of 32."""

CONTEXT_HOPS = 32
"""Hops discarded at an inner window edge. The scans see a whole window, so no finite context makes
windows independent of their edges; this one covers the convolutions and the U-Net's padding."""

FADE_HOPS = 16
"""Hops over which neighbouring windows cross-fade; more than a spectrum's reach of 1024 samples."""

EDGE_SHARE = 0.94
"""Part of the band below its end that is kept: resamplers fade out over the last few per cent."""

EDGE_FADE_BINS = 8
"""Bins of cross-fade below the edge, from the input's spectrum to the network's."""
