"""What was whole in a stream of codes, and what was not."""

from dataclasses import dataclass

from audiofix.codes.layout import CodeLayout


@dataclass(slots=True)
class Integrity:
    """What a reader has met so far.

    Attributes:
        packets: whole packets of codes that were returned.
        late_packets: whole packets of codes that came again, or after their turn: left out.
        damages: places where bytes had to be skipped.
        skipped_bytes: bytes in them.
        gaps: places where frames are missing.
        lost_frames: frames missing in them.
        ended: whether the last packet arrived. Without it, what is lost at the end is unknown.
        beyond_max_gap: whether packets were left out because too much was missing before them.
        followed: whether bytes follow the last packet.
    """

    packets: int = 0
    late_packets: int = 0
    damages: int = 0
    skipped_bytes: int = 0
    gaps: int = 0
    lost_frames: int = 0
    ended: bool = False
    beyond_max_gap: bool = False
    followed: bool = False

    def faults(self, layout: CodeLayout, frames: int) -> list[str]:
        """Return what was wrong with a stream of `frames` frames, nothing if all was well."""
        lost_seconds = layout.seconds(self.lost_frames)
        lost = f"{counted(self.lost_frames, 'frame')} ({lost_seconds:.3f} s)"
        damaged = f"{counted(self.skipped_bytes, 'byte')} damaged"
        faults = [
            (not self.ended, f"cut after {layout.seconds(frames):.3f} s"),
            (self.gaps, f"{lost} lost in {counted(self.gaps, 'gap')}"),
            (self.skipped_bytes, f"{damaged} in {counted(self.damages, 'place')}"),
            (self.late_packets, f"{counted(self.late_packets, 'packet')} out of order"),
            (self.beyond_max_gap, "more missing than --max-gap allows"),
            (self.followed, "bytes follow its end"),
        ]
        return [text for is_so, text in faults if is_so]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "gap"), counted(0, "gap")
    ('1 gap', '0 gaps')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
