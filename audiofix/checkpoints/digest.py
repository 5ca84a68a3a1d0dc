"""The digest by which a file is known, and where it lies: beside the file."""

import hashlib
from pathlib import Path

from audiofix.files import write_bytes


def sha256_of(path: Path) -> str:
    """Return a file's sha256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record(path: Path) -> None:
    """Write a file's sha256 beside it."""
    if not digest_path(path).exists():
        write_bytes(digest_path(path), f"{sha256_of(path)}\n".encode(), overwrite=True)


def recorded(path: Path) -> str | None:
    """Return the sha256 that lies beside a file, None without one."""
    digest = digest_path(path)
    return digest.read_text(errors="replace").strip() if digest.exists() else None


def digest_path(path: Path) -> Path:
    """Return where the sha256 of a file lies."""
    return (
        path.with_suffix(".sha256")
        if path.suffix == ".safetensors"
        else path.with_name(path.name + ".sha256")
    )
