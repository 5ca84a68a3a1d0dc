"""`audiofix info`: what a recording, or a stream of codes, really is."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiofix.codes.report import CodesReport, clock, codes_lines, measure_codes
from audiofix.errors import AudiofixError, BatchError, InputError
from audiofix.jobs.options import inputs_or_pipe
from audiofix.printable import json_text, printable
from audiofix.verbs.options import headerless_options, hiding, talkative

if TYPE_CHECKING:
    from audiofix.audio.source import Headerless, Source

EXAMPLES = (
    ("Is this file really 48 kHz?", "audiofix info studio.wav"),
    ("A line for each recording of a folder", "audiofix info takes/"),
    ("For a script", "audiofix info --json *.flac"),
    ("Did these codes arrive whole?", "audiofix info talk.afc"),
    ("In a pipe", "audiofix upsample x.wav --to 48k | audiofix info"),
)

Told = tuple["Report | CodesReport | None", AudiofixError | None]

_READ_SAMPLES = 1 << 16


@dataclass(frozen=True, slots=True)
class Report:
    """What is printed of one recording."""

    name: str
    container: str
    encoding: str
    rate: int
    channels: int
    samples: int
    seconds: float
    bandwidth_hz: float
    cutoff_hz: float | None
    bit_rate_kbps: float | None
    encoder: str
    decoded_mp3_kbps: int | None
    peak: float
    over_full_scale: int
    tags: dict[str, list[str]]
    pictures: int
    fault: str | None


@hiding("progress")
@click.command("info")
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: an object, a list for several.")
@headerless_options
@talkative
def command(
    inputs: tuple[str, ...],
    as_json: bool,
    rate: int | None,
    channels: int | None,
    encoding: str | None,
) -> None:
    """Tell what a recording really is.

    Container, encoding, rate, channels, exact length, peak, tags, and the effective bandwidth: the
    frequency where its band ends, whatever its rate says. The whole input is read, in bounded
    memory. A steep end of the band, as low-pass filters, codecs and resamplers leave it, is
    reported as cutoff; with holes below it, as MP3 leaves them, the recording looks like a decoded
    MP3. Of a file its bit rate, of a coded one its encoder. Of a folder, a line for each recording.

    Of audiofix codes: the model that decodes them, exact length, bitrate, and whether every packet
    is whole. Damage ends the command with status 3, after the report.
    """
    from audiofix.jobs.perform import headerless_of

    headerless = headerless_of(encoding, rate, channels)
    given = inputs_or_pipe(inputs)
    names = list(_files_of(given))
    told = (_reported(name, headerless) for name in names)
    if names == list(given) and len(names) == 1:
        report, fault = next(told)
        if report:
            click.echo(json_text(asdict(report)) if as_json else _text(report))
        if fault:
            raise fault
        return
    if as_json:
        failures = _print_json(told)
    elif names == list(given):
        failures = _print_texts(told)
    else:
        failures = _print_lines(told, max(len(printable(name)) for name in names))
    for failure in failures:
        click.echo(f"audiofix: {printable(failure)}", err=True)
    if failures:
        raise BatchError(f"{len(failures)} of {len(names)} files failed: the others are above")


def _print_json(told: Iterable[Told]) -> list[AudiofixError]:
    """Print a list of all reports, and return what was wrong."""
    reports, faults = zip(*told, strict=True)
    click.echo(json_text([asdict(report) for report in reports if report]))
    return [fault for fault in faults if fault]


def _print_texts(told: Iterable[Told]) -> list[AudiofixError]:
    """Print everything of each recording as it is read, with empty lines between them."""
    failures, is_first = [], True
    for report, fault in told:
        failures += [fault] if fault else []
        if report:
            click.echo(("" if is_first else "\n") + _text(report))
            is_first = False
    return failures


def _print_lines(told: Iterable[Told], width: int) -> list[AudiofixError]:
    """Print a line for each recording as it is read, and their total."""
    failures, seconds = [], []
    for report, fault in told:
        failures += [fault] if fault else []
        if report:
            click.echo(_line(report, width))
            seconds.append(report.seconds)
    plural = "" if len(seconds) == 1 else "s"
    click.echo(f"{len(seconds)} file{plural}, {clock(sum(seconds))}")
    return failures


def _files_of(inputs: tuple[str, ...]) -> Iterator[str]:
    """Yield the inputs, in the place of each folder the recordings and codes below it.

    Raises:
        InputError: a folder holds none.
    """
    from audiofix.audio.folder import is_audio, is_codes
    from audiofix.files import is_unfinished

    for name in inputs:
        if not Path(name).is_dir():
            yield name
            continue
        found = [
            str(path)
            for path in sorted(Path(name).rglob("*"))
            if path.is_file() and not is_unfinished(path) and (is_audio(path) or is_codes(path))
        ]
        if not found:
            raise InputError(f"{name}: holds no audio: name another folder")
        yield from found


def _reported(name: str, headerless: "Headerless | None") -> Told:
    """Return what is told of an input, and what is wrong with it; one of them may be None."""
    from audiofix.audio.bytestream import name_of, open_bytes
    from audiofix.audio.sniff import SNIFF_BYTES, sniff
    from audiofix.audio.source import source_of
    from audiofix.codes.reader import CodeReader

    try:
        stream = open_bytes(name)
        if sniff(stream.peek(SNIFF_BYTES)) == "afc":
            with stream:
                codes = CodeReader(stream, name_of(name))
                return measure_codes(codes, stream), codes.fault
        with source_of(stream, name_of(name), headerless=headerless) as source:
            return measure(source), source.fault
    except AudiofixError as error:
        return None, error


def measure(source: "Source") -> Report:
    """Read a source to its end and say what it is."""
    import numpy as np

    from audiofix.audio.coded_file import CodedFile, coded_file
    from audiofix.dsp.coding_traces import HoleMeter, decoded_mp3_kbps
    from audiofix.dsp.rolloff import BandwidthMeter

    meter, holes = BandwidthMeter(source.format.rate), HoleMeter(source.format.rate)
    samples, peak, over = 0, 0.0, 0
    while (chunk := source.read(_READ_SAMPLES)).shape[1]:
        meter.push(chunk)
        holes.push(chunk)
        samples += chunk.shape[1]
        sizes = np.abs(chunk)
        peak = max(peak, float(sizes.max()))
        over += int(np.count_nonzero(sizes > 1))
    cutoff_hz = meter.cutoff_hz()
    path = Path(source.name)
    coding = coded_file(path, source.container) if path.is_file() else None
    # Whoever names a lossy file knows that it is one.
    once_kbps = None if coding else decoded_mp3_kbps(cutoff_hz, holes.share(cutoff_hz or 0))
    coding = coding or CodedFile()
    seconds = samples / source.format.rate
    kbps = coding.kbps
    if kbps is None and path.is_file() and seconds:
        kbps = path.stat().st_size * 8 / 1000 / seconds
    return Report(
        name=source.name,
        container=source.container,
        encoding=source.encoding,
        rate=source.format.rate,
        channels=source.format.channels,
        samples=samples,
        seconds=seconds,
        bandwidth_hz=round(meter.bandwidth_hz(), 1),
        cutoff_hz=None if cutoff_hz is None else round(cutoff_hz, 1),
        bit_rate_kbps=kbps and round(kbps, 1),
        encoder=str(coding.encoder),
        decoded_mp3_kbps=once_kbps,
        peak=peak,
        over_full_scale=over,
        tags=source.tags.fields,
        pictures=len(source.tags.pictures),
        fault=str(source.fault) if source.fault else None,
    )


def _line(report: Report | CodesReport, width: int) -> str:
    """Return what is told of one of many."""
    if isinstance(report, CodesReport):
        kbps, what = report.bits_per_second / 1000, report.model
    else:
        kbps = report.bit_rate_kbps or 0.0
        stored = " ".join(dict.fromkeys((report.container, report.encoding)))
        what = f"{stored}  band to {report.bandwidth_hz:.0f} Hz"
    layout = f"{report.rate:>6} Hz  {report.channels} ch  {clock(report.seconds):>11}"
    return f"{printable(report.name):<{width}}  {layout}  {kbps:>6.0f} kbit/s  {printable(what)}"


def _text(report: Report | CodesReport) -> str:
    lines = codes_lines(report) if isinstance(report, CodesReport) else _sound_lines(report)
    return "\n".join(f"{printable(name):<12} {printable(value)}" for name, value in lines)


def _sound_lines(report: Report) -> list[tuple[str, str]]:
    cliff = f" (steep cutoff at {report.cutoff_hz:.0f} Hz)" if report.cutoff_hz else ""
    over = f", {report.over_full_scale} samples over full scale" if report.over_full_scale else ""
    lines = [
        ("input", report.name),
        ("container", report.container),
        ("encoding", report.encoding),
        ("rate", f"{report.rate} Hz"),
        ("channels", str(report.channels)),
        ("length", f"{report.samples} samples, {clock(report.seconds)}"),
        ("bandwidth", f"{report.bandwidth_hz:.0f} Hz{cliff}"),
        ("peak", f"{report.peak:.6f}{over}"),
        *((name, "; ".join(values)) for name, values in sorted(report.tags.items())),
    ]
    if report.bit_rate_kbps:
        coded = f"{report.bit_rate_kbps:.0f} kbit/s"
        lines.insert(3, ("bit rate", ", ".join(filter(None, (coded, report.encoder)))))
    if report.decoded_mp3_kbps:
        guess = f"a decoded MP3 of about {report.decoded_mp3_kbps} kbit/s"
        lines.append(("looks like", f"{guess}: audiofix decode-restore may help"))
    if report.pictures:
        lines.append(("pictures", str(report.pictures)))
    return lines
