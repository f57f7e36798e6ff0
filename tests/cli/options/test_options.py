from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest
from attrs import frozen

from iprog_async import InvalidMessageError
from iprog_async.cli._options.provider_options import options_for


if TYPE_CHECKING:
    from somewhere_else import Unknown  # type: ignore[import-not-found] # pyright: ignore[reportMissingImports] - that is the point


@frozen
class Plain:
    """Somebody's own options."""

    kind: Literal["sms", "flash"] = "sms"
    route: int | None = None
    urgent: bool = False
    label: str | None = None


@dataclass(frozen=True)
class Strict:
    """Somebody's own options, which check their values."""

    shade: str = "red"

    def __post_init__(self) -> None:
        """Refuse what is no colour."""
        if self.shade != "red":
            raise ValueError(f"{self.shade!r} is no colour")


@frozen
class Opaque:
    """Somebody's own options, whose types only a checker knows."""

    what: Unknown | None = None  # pyright: ignore[reportUnknownVariableType] - that is the point


class Gateway:
    """Something that takes options."""

    name = "gateway"

    def __init__(self, *kinds: type[Any]) -> None:
        self.options_type = kinds


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), None),
        (("kind=flash",), Plain(kind="flash")),
        (("route=7", "urgent=true"), Plain(route=7, urgent=True)),
        (("urgent=false", " label=a=b c"), Plain(label="a=b c")),
        (("shade=red",), Strict()),
        (("what=ever",), Opaque("ever")),
    ],
)
def test_options(given: tuple[str, ...], expected: object) -> None:
    """What is written becomes the adapter's own object, with values of its types."""
    assert expected == options_for(Gateway(Plain, Strict, Opaque), given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("kind=voice", "--option kind=voice: it is one of sms, flash"),
        ("route=fast", "--option route=fast: it is a number"),
        ("urgent=yes", "--option urgent=yes: it is one of true, false"),
        ("shade=loud", "--option: 'loud' is no colour"),
        ("hue=red", "it has: kind, route, urgent, label, shade"),
        ("kind", "--option 'kind' is not written like type=unicode"),
    ],
)
def test_no_options(given: str, words: str) -> None:
    """What an adapter does not take is refused with what it does."""
    with pytest.raises(InvalidMessageError) as caught:
        options_for(Gateway(Plain, Strict), (given,))

    assert words in str(caught.value)


def test_gateways_without_options() -> None:
    """Where a gateway has no options, or says nothing about them, there are none to give."""
    for gateway in (Gateway(), Gateway(object)):
        with pytest.raises(InvalidMessageError, match="it has: none"):
            options_for(gateway, ("type=unicode",))
