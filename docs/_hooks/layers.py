"""Draws the layers of the library from the contract that import-linter checks.

`python docs/_hooks/layers.py` writes docs/images/layers.svg; a test compares the two, so that the
picture can't say something else than the code.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path

from attrs import frozen


ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "images" / "layers.svg"
PACKAGE = "iprog_async"
CONTRACT = "layers"

_WIDTH, _GAP, _LINE, _INSET = 760, 10, 18, 14
_LETTER = 7.0  # pixels for a letter of 13 pixels' height, on average
_BESIDE = 130  # where the sentence begins in a layer that is one room
_ARROW = 50  # what is kept free on the right


@frozen
class Room:
    """A folder or module of the library.

    Args:
        name: As it is imported.
        words: The first sentence of its docstring.
    """

    name: str
    words: str


@frozen
class Place:
    """Where a box is drawn."""

    left: float
    top: int
    width: float
    height: int


def rooms() -> list[list[Room]]:
    """Return the rooms of each layer, the highest first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (contract,) = [one for one in contracts if one["type"] == CONTRACT]
    return [
        [_room(name.strip().strip("()")) for name in layer.split("|")]
        for layer in contract["layers"]
    ]


def _room(name: str) -> Room:
    path = ROOT / PACKAGE / name / "__init__.py"
    if not path.exists():
        path = ROOT / PACKAGE / f"{name}.py"
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = " ".join(docstring.partition("\n\n")[0].split())
    return Room(name, first.rstrip(".").replace("`", ""))


def draw(layers: list[list[Room]]) -> str:
    """Return a picture in which each layer may use those below it, in the page's own colours."""
    drawn: list[str] = []
    top = _GAP
    for layer in layers:
        boxes, height = _layer(layer, top)
        drawn += boxes
        top += height + _GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" '
        'role="img" aria-labelledby="layers-title" font-family="system-ui, sans-serif" '
        'font-size="13" fill="currentColor">'
    )
    title = '<title id="layers-title">The layers: each may import those below it</title>'
    # Only as a file of its own: in a page the drawing takes the colour of what is around it.
    style = "<style>@media (prefers-color-scheme: dark) { svg:root { color: #e6edf3 } }</style>"
    return "\n".join([head, title, style, *drawn, *_arrow(top), "</svg>", ""])


def _layer(layer: list[Room], top: int) -> tuple[list[str], int]:
    """Return the boxes of a layer, and its height."""
    width = (_WIDTH - _ARROW - _GAP * len(layer)) / len(layer)
    beside = len(layer) == 1
    room_for_words = width - 2 * _INSET - (_BESIDE if beside else 0)
    texts = [_wrapped(room.words, int(room_for_words / _LETTER)) for room in layer]
    height = 20 + _LINE * (max(map(len, texts)) + (0 if beside else 1))
    drawn: list[str] = []
    for number, (room, lines) in enumerate(zip(layer, texts, strict=True)):
        place = Place(_GAP + number * (width + _GAP), top, width, height)
        drawn += _box(place, room.name, lines, beside=beside)
    return drawn, height


def _box(place: Place, name: str, lines: list[str], *, beside: bool) -> Iterator[str]:
    left, line = place.left + _INSET, place.top + 24
    yield (
        f'<rect x="{place.left:.1f}" y="{place.top}" width="{place.width:.1f}" '
        f'height="{place.height}" rx="8" fill="#2f9e6e" fill-opacity=".10" stroke="#2f9e6e"/>'
    )
    yield (
        f'<text x="{left:.1f}" y="{line}" font-family="ui-monospace, monospace" '
        f'font-weight="700">{escape(name)}</text>'
    )
    if beside:
        left += _BESIDE
    else:
        line += _LINE
    for number, words in enumerate(lines):
        yield f'<text x="{left:.1f}" y="{line + _LINE * number}">{escape(words)}</text>'


def _arrow(height: int) -> Iterator[str]:
    """Yield the arrow that says which way imports go."""
    x, end = _WIDTH - _ARROW + 14, height - _GAP
    yield (
        f'<path d="M{x} {_GAP} V{end} M{x - 6} {end - 9} L{x} {end} L{x + 6} {end - 9}" '
        'fill="none" stroke="currentColor" stroke-width="1.5"/>'
    )
    middle = height // 2
    yield (
        f'<text x="{x + 16}" y="{middle}" text-anchor="middle" '
        f'transform="rotate(90 {x + 16} {middle})">imports</text>'
    )


def _wrapped(words: str, most: int) -> list[str]:
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


if __name__ == "__main__":
    PICTURE.write_text(draw(rooms()), encoding="utf-8")
