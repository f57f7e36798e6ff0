"""Answers of gateways as files, each with its mark and source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from attrs import field, frozen


MARKS = {"LOG", "SRC", "DOC", "CLI", "INFER"}
_FOLDER = Path(__file__).parent.parent / "samples"


@frozen
class Sample:
    """One answer, and what the adapter makes of it.

    Args:
        name: Name of the file.
        mark: How far to trust it: LOG recorded, SRC read in the server's source, DOC on the
            vendor's page, CLI handled by clients, INFER deduced.
        source: Where it is from, in words.
        operation: What was asked.
        reply: The answer.
        expect: What comes of it: attributes of the value, as text, or the error's class.
    """

    name: str
    mark: str
    source: str
    operation: str
    reply: httpx.Response = field(repr=False)
    expect: Mapping[str, Any] = field(repr=False)

    def __str__(self) -> str:
        return self.name


def load_samples(vendor: str) -> list[Sample]:
    """Return the answers of a vendor, in the order of their names."""
    return [_load(path) for path in sorted((_FOLDER / vendor).glob("*.json"))]


def _load(path: Path) -> Sample:
    data = json.loads(path.read_text("utf-8"))
    body = {"text": data["body_text"]} if "body_text" in data else {"json": data["body"]}
    reply = httpx.Response(data["http_status"], headers=data["headers"], **body)
    named = {key: data[key] for key in ("mark", "source", "operation", "expect")}
    return Sample(path.stem, reply=reply, **named)
