"""`--encoding` and `--replace`: which characters of a text may be written otherwise."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from iprog_async._core.errors import ConfigurationError, InvalidMessageError
from iprog_async._core.gsm7.replacement import EncodingSetting, Gsm7
from iprog_async.cli._options.shared import pairs


Encoding = Annotated[
    Literal["auto", "gsm-7"],
    Parameter(
        name="--encoding",
        help="auto sends texts as they are. gsm-7 replaces characters that only look like those of "
        "GSM-7 (curly quotes, dashes, blanks), where that saves a segment; no letter and no emoji.",
    ),
]
Replace = Annotated[
    tuple[str, ...],
    Parameter(
        name="--replace",
        negative="",
        show_default=False,
        help="With --encoding gsm-7, what else may be replaced, such as '₱=PHP '; can be given "
        "again.",
    ),
]


def encoding_of(encoding: Literal["auto", "gsm-7"], replace: tuple[str, ...]) -> EncodingSetting:
    """Return the setting for texts.

    Raises:
        InvalidMessageError: A replacement makes no sense.
    """
    also = pairs(replace, "--replace", "'₱=PHP '")
    if not also:
        return encoding
    if encoding == "auto":
        raise InvalidMessageError("--replace says more about --encoding gsm-7; give both")
    try:
        return Gsm7(also)
    except ConfigurationError as exc:
        raise InvalidMessageError(f"--replace: {exc}") from None
