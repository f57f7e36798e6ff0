"""`iprog-async count`."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from iprog_async._bulk.characters import code_point, glyph, name_of, segments_without
from iprog_async._core.errors import InvalidMessageError
from iprog_async._core.segments import Segments, count_segments
from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._options.shared import AsJson, text_from, text_of_file
from iprog_async.cli._terminal.output import echo, emit
from iprog_async.cli._terminal.show import count_of


_UNITS = {"GSM-7": "septet", "UCS-2": "code unit"}


def count(  # noqa: D417 - the shared options describe themselves
    text: str | None = None,
    /,
    *,
    file: Annotated[str | None, Parameter(name="--file")] = None,
    as_json: AsJson = False,
) -> ExitCode:
    """Count the segments of a text, without sending it; each segment is billed.

    Args:
        text: The text; - reads it from stdin. A text that starts with a dash goes last, after --.
        file: A file with the text, in UTF-8; - is stdin.
    """
    given = _text(text, file)
    segments, without = count_segments(given), segments_without(given)
    if as_json:
        emit(_data(segments, without))
    else:
        echo(*_words(segments, without))
    return ExitCode.OK


def _text(text: str | None, file: str | None) -> str:
    if text is not None and file is None:
        return text_from(text)
    if file is not None and text is None:
        return text_of_file(file)
    raise InvalidMessageError("give either a text or --file, - for stdin")


def _data(segments: Segments, without: int) -> dict[str, Any]:
    return {
        "encoding": segments.encoding,
        "segments": segments.count,
        "units": segments.units,
        "left": segments.left,
        "segments_without": without,
        "forced_by": [
            {"character": char, "code_point": code_point(char), "name": name_of(char)}
            for char in segments.forced_by
        ],
    }


def _words(segments: Segments, without: int) -> list[str]:
    if not segments.count:
        return ["the text is empty: nothing to bill, and nothing that send would take"]
    units = count_of(segments.units, _UNITS[segments.encoding])
    lines = [
        f"{segments.encoding}, {count_of(segments.count, 'segment')}: "
        f"{units} used, {segments.left} left"
    ]
    if segments.forced_by:
        lines.append("Not in GSM-7, so that the whole text travels as UCS-2:")
        lines += [f"  {glyph(c) or ' '}  {code_point(c)}  {name_of(c)}" for c in segments.forced_by]
    if without < segments.count:
        lines.append(f"Without them it has {count_of(without, 'segment')}.")
    return lines
