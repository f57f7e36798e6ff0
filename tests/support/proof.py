"""What an answer that proves no refusal is made of: who gets it, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from iprog_async.testing import Reply
from iprog_async_providers import (
    AfricasTalkingProvider,
    EgoSmsProvider,
    InfopromoHttpProvider,
    InfopromoProvider,
    IprogProvider,
    UgsmsV1Provider,
    UgsmsV2Provider,
)
from support.contract.data import PHILIPPINE, TOKEN, UGANDAN


Make = Callable[..., Any]


@frozen
class Adapter:
    """How to build an adapter, and numbers that it takes."""

    make: Make = field(repr=False)
    numbers: Sequence[str]


def _africastalking_at(url: str, **more: Any) -> Any:
    return AfricasTalkingProvider("shop", TOKEN, base_url=url, **more)


def _egosms_at(url: str, **more: Any) -> Any:
    return EgoSmsProvider("shop", TOKEN, base_url=url, **more)


def _infopromo_at(url: str, **more: Any) -> Any:
    return InfopromoProvider(TOKEN, sender_id="Shop", base_url=url, **more)


def _infopromo_http_at(url: str, **more: Any) -> Any:
    return InfopromoHttpProvider(TOKEN, sender_id="Shop", base_url=url, **more)


def _iprog_at(url: str, **more: Any) -> Any:
    return IprogProvider(TOKEN, base_url=url, **more)


def _ugsms_v1_at(url: str, **more: Any) -> Any:
    return UgsmsV1Provider("shop", TOKEN, base_url=url, rate=None, **more)


def _ugsms_v2_at(url: str, **more: Any) -> Any:
    return UgsmsV2Provider(TOKEN, base_url=url, rate=None, **more)


ADAPTERS: Mapping[str, Adapter] = {
    "africastalking": Adapter(_africastalking_at, UGANDAN),
    "egosms": Adapter(_egosms_at, UGANDAN),
    "infopromo": Adapter(_infopromo_at, PHILIPPINE),
    "infopromo-http": Adapter(_infopromo_http_at, PHILIPPINE),
    "iprog": Adapter(_iprog_at, PHILIPPINE),
    "ugsms-v1": Adapter(_ugsms_v1_at, UGANDAN),
    "ugsms-v2": Adapter(_ugsms_v2_at, UGANDAN),
}

ALL = ("alone", "many")


@frozen(kw_only=True)
class Proof:
    """One answer that proves no refusal.

    Args:
        name: What it is called in the names of the tests.
        adapter: Who gets it.
        reply: The answer.
        ways: Whether it answers a request for one, for many, or both.
        states: What many come to, if not all are unknown.
        mixed: Whether the many have different texts.
        references: Ids that the error has to keep.
    """

    name: str
    adapter: str
    reply: Reply
    ways: Sequence[str] = ALL
    states: Sequence[str] = ("unknown",) * 4
    mixed: bool = False
    references: Sequence[str] = ()
