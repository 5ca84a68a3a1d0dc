"""What each metric says and which values are good, for a reader who never met it."""

from collections.abc import Mapping

MEANINGS: Mapping[str, str] = {
    "snr": "Energy of the reference over that of the difference, sample by sample. More is better "
    "where the very waveform can come back. But a band that was lost and is invented anew has, at "
    "best, the right level and other phases: all of it counts as error, so the SNR falls below "
    "that of the dull input.",
    "si-sdr": "The SNR after the best common gain. An invented band lowers it for the same reason.",
    "lsd": "How far the levels over time and frequency lie from the reference's, whatever the "
    "phases. Less is better, and 0 is equal. This is the one that judges an invented band.",
    "lsd-hf": "The same above the end of the input's band: how well what was missing came back.",
    "lsd-lf": "The same below it. What was there should stay: near 0 is good.",
    "rtf": "Seconds of computing per second of sound on this machine. Below 1 it keeps up with "
    "live sound.",
    "bitrate": "What the bare codes take. Less is better where the rest is equal.",
    "delay": "How late the sound came back. It was moved into place before the rest was measured.",
    "level": "How far the level inside filled gaps is off. Near 0 is good.",
    "seam": "How far the second difference at the gaps' edges is off. What is large there clicks.",
    "stoi": "How intelligible speech is, from 0 to 1. More is better.",
    "pesq": "What listeners would say of speech, from 1 to 4.6 (ITU-T P.862.2). More is better.",
    "visqol": "What listeners would say, from 1 to 5. More is better.",
    "loudness": "How much louder it is (ITU-R BS.1770). Near 0 is good.",
}
"""Metric -> sentences."""
