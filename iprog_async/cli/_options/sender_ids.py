"""`--from`: what the phones show as sender, everywhere the same or by country."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from iprog_async._core.errors import ConfigurationError, InvalidMessageError
from iprog_async._core.phones import is_region
from iprog_async._sending.sender_ids import SenderIdSetting, read_sender_ids


From = Annotated[
    str | None,
    Parameter(
        name="--from",
        help="Name or number that the phones show as sender; or one for each country, and one for "
        "all others: PH=ACME,UG=Acme Ltd,Acme.",
    ),
]
_FORM = "write PH=ACME,UG=Acme Ltd,Acme: two letters, = and the sender, separated by commas"
_OF_COUNTRY = re.compile(r"\s*([A-Za-z]{2})\s*=([^=;]*)", re.DOTALL)
_WITH_COLON = re.compile(r"\s*([A-Za-z]{2})\s*:", re.ASCII)


def sender_ids_of(given: str | None) -> SenderIdSetting | None:
    """Return what `--from` says, as a client takes it.

    Raises:
        InvalidMessageError: It can't be a sender ID, or it names a country twice, or one that
            there is not, or in another form.
    """
    if given is None:
        return None
    parts = given.split(",")
    if any(map(_has_colon, parts)):
        raise _misread(given)
    setting: SenderIdSetting = _by_country(given, parts) if "=" in given else given
    try:
        read_sender_ids(setting)
    except ConfigurationError as exc:
        raise InvalidMessageError(f"--from: {exc}") from None
    return setting


def _has_colon(part: str) -> bool:
    match = _WITH_COLON.match(part)
    return match is not None and is_region(match[1].upper())


def _misread(given: str) -> InvalidMessageError:
    return InvalidMessageError(f"--from {given!r} can be misread; {_FORM}")


def _by_country(given: str, parts: Sequence[str]) -> dict[str | None, str]:
    found: dict[str | None, str] = {}
    for part in parts:
        match = _OF_COUNTRY.fullmatch(part)
        if match is None and ("=" in part or ";" in part or not part.strip()):
            raise _misread(given)
        country, name = (match[1].upper(), match[2]) if match else (None, part)
        if country in found:
            who = country or "all other countries"
            raise InvalidMessageError(f"--from {given!r} has two senders for {who}")
        found[country] = name
    return found
