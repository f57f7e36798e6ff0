"""Whether the bytes of a number are left in a journal's file, or in those beside it."""

from __future__ import annotations

from pathlib import Path


_AT_ONCE = 1 << 20


def files_with(journal: Path, digits: str) -> list[Path]:
    """Return which of a journal's files have a number's digits in them, as text.

    Args:
        journal: The journal's file; its log, logs that were set aside and the like begin with
            its name.
        digits: What to look for.

    Raises:
        OSError: A file can't be read.
    """
    beside = sorted(journal.parent.glob(f"{_escaped(journal.name)}*"))
    return [file for file in beside if file.is_file() and _has(file, digits.encode())]


def _has(file: Path, wanted: bytes) -> bool:
    last = b""
    with file.open("rb") as stream:
        while some := stream.read(_AT_ONCE):
            if wanted in last + some:
                return True
            last = some[-len(wanted) :]
    return False


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
