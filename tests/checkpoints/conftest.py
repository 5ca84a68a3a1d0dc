import pytest
from file_server import running

from audiofix.checkpoints import catalogue


@pytest.fixture
def server():
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("AUDIOFIX_CACHE", str(folder))
    monkeypatch.delenv("AUDIOFIX_OFFLINE", raising=False)
    monkeypatch.delenv("AUDIOFIX_MIRROR", raising=False)
    monkeypatch.setattr("audiofix.checkpoints.download._BACKOFF_SECONDS", 0.01)
    return folder


@pytest.fixture
def listed(monkeypatch):
    """Return a function that replaces the catalogue by one written in TOML."""

    def replace(text):
        entries = catalogue.read_catalogue(text)
        for module in ("audiofix.checkpoints.catalogue", "audiofix.checkpoints.store"):
            monkeypatch.setattr(f"{module}.entries", lambda: entries)
        return entries

    return replace
