"""The page, as text and in a real browser."""

import re
import shutil
import subprocess
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.image
import pytest
from stages import noise

from audiofix.evaluation import page as module
from audiofix.evaluation.comparison import Excerpt, Result
from audiofix.evaluation.findings import Findings, means_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCORES = {"b": 2.0, "a": 10.0, "<i>": float("nan"), "c": -1.5}
RESULTS = tuple(
    Result(name, 8000, "model", 16000, 16000, {"snr": score}) for name, score in SCORES.items()
)
FINDINGS = Findings(
    {"model": "tiny & <new>"}, ("snr",), {"n_fft": 2048}, RESULTS, means_of(RESULTS, ("snr",), 0)
)
SOUNDS = {"reference": noise(1, 8000), "sinc": noise(1, 8000, 2), "model": noise(1, 8000, 3)}
EXCERPTS = [Excerpt("b", 8000, 16000, SOUNDS)]


class Links(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.sources += [(tag, v) for k, v in attributes if k in ("src", "href") and v]


def test_it_needs_nothing_else() -> None:
    text = module.page(FINDINGS, EXCERPTS)
    sources = Links(text).sources
    assert [tag for tag, _ in sources] == ["img", "audio"] * 3
    assert all(source.startswith("data:") for _, source in sources)
    assert not re.search(r"https?:|@import|url\(", text)


def test_players_hold_the_sound(tmp_path: Path) -> None:
    import soundfile

    players = [source for tag, source in Links(module.page(FINDINGS, EXCERPTS)).sources
               if tag == "audio"]  # fmt: skip
    for player, samples in zip(players, SOUNDS.values(), strict=True):
        (tmp_path / "x.flac").write_bytes(b64decode(player.partition(",")[2]))
        heard, rate = soundfile.read(tmp_path / "x.flac", dtype="float32")
        assert rate == 16000
        assert heard == pytest.approx(samples[0], abs=2**-15)


def test_columns_are_explained_and_pictures_have_axes() -> None:
    text = module.page(FINDINGS, EXCERPTS)
    assert "<dt>SNR dB ↑</dt>" in text and "falls below that of the dull input" in text
    axes = re.findall(r"<div class=(frequency|time)>(.*?)</div>", text)
    assert {side: re.findall(r">([\d.]+)<", marks) for side, marks in axes} == {
        "frequency": ["0", "2", "4", "6"],
        "time": ["0", "0.1", "0.2", "0.3", "0.4"],
    }
    assert axes[0][1].startswith('<span style="bottom:0.00%">0</span><span style="bottom:25.00%">')


def test_means_of_one_recording_have_no_interval() -> None:
    one = replace(FINDINGS, results=RESULTS[:1], means=means_of(RESULTS[:1], ("snr",), 0))
    assert "<small>" not in module.page(one, []) and "interval" not in module.page(one, [])
    assert "<small>" in module.page(FINDINGS, [])


def test_beyond_the_limit_there_are_pictures_only(monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(
        len(s) for tag, s in Links(module.page(FINDINGS, EXCERPTS)).sources if tag == "audio"
    )
    monkeypatch.setattr(module, "SOUND_BYTES", size)
    tags = [tag for tag, _ in Links(module.page(FINDINGS, EXCERPTS * 2)).sources]
    assert tags == ["img", "audio"] * 3 + ["img"] * 3


def test_names_are_text_not_markup() -> None:
    text = module.page(FINDINGS, EXCERPTS)
    assert "&lt;i&gt;" in text and "<i>" not in text
    assert "tiny &amp; &lt;new&gt;" in text


def browse(page: Path, *options: str) -> bytes:
    assert CHROMIUM
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    words = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
             "--no-first-run", f"--user-data-dir={page.parent / 'profile'}", *quiet, *options,
             page.as_uri()]  # fmt: skip
    return subprocess.run(words, capture_output=True, check=True, timeout=120).stdout


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(module.page(FINDINGS, EXCERPTS), encoding="utf-8")
    return path


@pytest.mark.skipif(not CHROMIUM, reason="needs chromium")
@pytest.mark.parametrize(
    ("clicks", "direction", "order"),
    [
        (["snr"], "ascending", ["c", "b", "a", "&lt;i&gt;"]),
        (["snr", "snr"], "descending", ["a", "b", "c", "&lt;i&gt;"]),
        (["snr", "recording"], "ascending", ["&lt;i&gt;", "a", "b", "c"]),
    ],
)
def test_a_click_sorts_the_table(
    clicks: list[str], direction: str, order: list[str], saved: Path
) -> None:
    """A browser that clicks the heads of the last table, then prints what stands there."""
    script = "".join(
        f"[...document.querySelectorAll(\"[data-column='{name}'] button\")].at(-1).click();"
        for name in clicks
    )
    text = saved.read_text(encoding="utf-8")
    saved.write_text(text.replace("</body>", f"<script>{script}</script></body>"), "utf-8")
    shown = browse(saved, "--dump-dom").decode()
    body = shown[shown.rindex("<tbody>") : shown.rindex("</tbody>")]
    assert re.findall(r'<td class="text" data-value="[^"]*">([^<]*)</td>', body)[::3] == order
    assert re.findall(r'<th[^>]* aria-sort="(\w+)"', shown) == [direction]


@pytest.mark.skipif(not CHROMIUM, reason="needs chromium")
@pytest.mark.parametrize(("scheme", "darkest", "brightest"), [(0, 0.0, 0.2), (1, 0.9, 1.0)])
def test_it_follows_the_readers_light_or_dark(
    scheme: int, darkest: float, brightest: float, saved: Path, tmp_path: Path
) -> None:
    """Blink's setting 0 prefers dark, 1 light; the left edge shows the paper."""
    shot = tmp_path / "shot.png"
    setting = f"--blink-settings=preferredColorScheme={scheme}"
    browse(saved, f"--screenshot={shot}", "--window-size=1000,1400", "--hide-scrollbars", setting)
    picture = matplotlib.image.imread(shot)[:, :, :3]
    assert picture.shape[:2] == (1400, 1000)
    assert darkest <= picture[:, :4].min() <= picture[:, :4].max() <= brightest
    assert picture.std() > 0.1  # and something is on it


@pytest.mark.skipif(not CHROMIUM, reason="needs chromium")
def test_the_blind_test_keeps_score(saved: Path) -> None:
    """Numbers above a half make X the second sound: one right answer, two wrong ones."""
    text = saved.read_text(encoding="utf-8").replace(
        "<head>", "<head><script>Math.random = () => .9</script>"
    )
    clicks = "".join(
        f"document.querySelector('[data-{kind}={side}]').click();"
        for kind, side in (("play", "x"), ("guess", "b"), ("guess", "a"), ("guess", "a"))
    )
    saved.write_text(text.replace("</body>", f"<script>{clicks}</script></body>"), "utf-8")
    shown = browse(saved, "--dump-dom").decode()
    (told,) = re.findall(r"<output>(.*?)</output>", shown)
    assert told == (
        "Wrong: X was Model. 1 of 3 right; "
        "who guesses gets so many or more with a probability of 88 %."
    )
    assert "hidden" not in shown[shown.index('<section id="test"') :].partition(">")[0]


@pytest.mark.skipif(not CHROMIUM, reason="needs chromium")
def test_without_two_sounds_there_is_no_blind_test(saved: Path) -> None:
    saved.write_text(module.page(FINDINGS, []), encoding="utf-8")
    shown = browse(saved, "--dump-dom").decode()
    assert "hidden" in shown[shown.index('<section id="test"') :].partition(">")[0]


def test_a_method_of_any_name_has_its_figure() -> None:
    excerpt = Excerpt("b", None, 16000, {"zeros": SOUNDS["sinc"], "some-model": SOUNDS["model"]})
    text = module.page(FINDINGS, [excerpt])
    assert "Gaps left empty" in text and "some-model" in text
