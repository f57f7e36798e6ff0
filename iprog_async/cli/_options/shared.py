"""What commands take: the options they share, texts from elsewhere."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, validators

from iprog_async._client.client import SmsClient
from iprog_async._client.from_config import provider_from_env, provider_from_url
from iprog_async._core.errors import InvalidMessageError
from iprog_async._providers.protocols import SmsProvider
from iprog_async._suppressions.suppressions import Suppressions
from iprog_async.cli._base.stdin import STDIN


AsJson = Annotated[
    bool,
    Parameter(
        name="--json", negative="", show_default=False, help="Print one JSON document instead."
    ),
]
Url = Annotated[
    str | None,
    Parameter(
        name="--url",
        help="Address of the gateway, such as iprog://TOKEN@. Other users of this machine can "
        "read it in the list of processes: prefer the environment variable SMS_URL.",
    ),
]
Wait = Annotated[
    bool,
    Parameter(
        name="--wait", negative="", show_default=False, help="Wait until the delivery is final."
    ),
]
Timeout = Annotated[
    float,
    Parameter(
        name="--timeout", validator=validators.Number(gt=0), help="The most seconds to wait."
    ),
]


def open_client(url: str | None, **settings: Any) -> SmsClient[Any]:
    """Build the client of `--url`, or else of the environment.

    Args:
        url: The address.
        settings: Further arguments of the client.
    """
    return SmsClient.from_env(**settings) if url is None else SmsClient.from_url(url, **settings)


SuppressionList = Annotated[
    str | None,
    Parameter(
        name="--suppressions",
        show_default=False,
        help="A list of numbers that must not be texted, such as stop.db: a file, or a "
        "postgresql:// address. It is asked right before each text, so what others add counts.",
    ),
]


@asynccontextmanager
async def obeying(
    place: str | None, provider: Callable[[], SmsProvider]
) -> AsyncGenerator[Suppressions | None]:
    """Open the list of `--suppressions`, if there is one.

    Args:
        place: Where it is; one that is not there is an error, as nobody would be on it.
        provider: Returns who reads national numbers.

    Raises:
        SuppressionsError: It can't be opened.
    """
    if place is None:
        yield None
        return
    with await asyncio.to_thread(
        Suppressions.open, place, region=provider(), create=False
    ) as opened:
        yield opened


def provider_of(url: str | None) -> SmsProvider:
    """Return the provider of `--url`, or else of the environment."""
    return provider_from_env() if url is None else provider_from_url(url)


def text_from(given: str) -> str:
    """Return a text as given, or stdin's without its last line end where a dash is given."""
    return _read("stdin", sys.stdin.read) if given == STDIN else given


def text_of_file(path: str) -> str:
    """Return a file's text without its last line end.

    Raises:
        InvalidMessageError: It can't be read, or is no UTF-8.
    """
    return text_from(path) if path == STDIN else _read(path, lambda: Path(path).read_text("utf-8"))


def pairs(given: tuple[str, ...], option: str, example: str) -> dict[str, str]:
    """Return what was given as `NAME=VALUE`, by its names.

    Raises:
        InvalidMessageError: One is written in another way.
    """
    found: dict[str, str] = {}
    for words in given:
        name, sign, value = words.partition("=")
        if not sign or not name.strip():
            raise InvalidMessageError(f"{option} {words!r} is not written like {example}")
        found[name.strip()] = value
    return found


def _read(place: str, read: Callable[[], str]) -> str:
    try:
        text = read()
    except OSError as exc:
        raise InvalidMessageError(f"{place!r} can't be read: {exc.strerror}") from None
    except UnicodeDecodeError as exc:
        raise InvalidMessageError(f"{place} is no UTF-8 text (byte {exc.start})") from None
    return text.removesuffix("\n").removesuffix("\r")
