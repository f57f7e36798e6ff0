"""`--from`: what the phones show as sender, everywhere the same or by country."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from iprog_async._core.errors import ConfigurationError, InvalidMessageError
from iprog_async._sending.sender_ids import SenderIdSetting, read_sender_ids


From = Annotated[
    str | None,
    Parameter(
        name="--from",
        help="Name or number that the phones show as sender; or one for each country and for all "
        "others: PH=ACME,UG=Acme Ltd,Acme.",
    ),
]
_OF_COUNTRY = re.compile(r"\s*([A-Za-z]{2})=(.*)", re.DOTALL)


def sender_ids_of(given: str | None) -> SenderIdSetting | None:
    """Return what `--from` says, as a client takes it.

    Raises:
        InvalidMessageError: It can't be a sender ID, or names a country twice.
    """
    if given is None:
        return None
    parts = given.split(",")
    by_country = any(map(_OF_COUNTRY.fullmatch, parts))
    setting: SenderIdSetting = _by_country(given, parts) if by_country else given
    try:
        read_sender_ids(setting)
    except ConfigurationError as exc:
        raise InvalidMessageError(f"--from: {exc}") from None
    return setting


def _by_country(given: str, parts: Sequence[str]) -> dict[str | None, str]:
    found: dict[str | None, str] = {}
    for part in parts:
        match = _OF_COUNTRY.fullmatch(part)
        country, name = (match[1].upper(), match[2]) if match else (None, part)
        if country in found:
            who = country or "all other countries"
            raise InvalidMessageError(f"--from {given!r} has two senders for {who}")
        found[country] = name
    return found
