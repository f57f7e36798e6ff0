"""A router prepares a message for whoever can take it: its number, its sender ID, its options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.core.fakes import NUMBER, FakeProvider
from support.routing.fakes import ONE_ROUND, gateway, never, told, unreachable

from iprog_async import (
    BreakerPolicy,
    Failover,
    InvalidMessageError,
    Message,
    Outcome,
    UnsupportedError,
)
from iprog_async.adapter import PreparedMessage, failed
from iprog_async.testing import InstantClock
from iprog_async_providers import InfopromoProvider, IprogProvider, UgsmsV2Provider
from iprog_async_providers.infopromo import InfopromoOptions
from iprog_async_providers.iprog import IprogOptions


class Broken(FakeProvider):
    """An adapter with a bug in how it reads numbers."""

    def _number(self, number: str) -> tuple[str, str]:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("region", "number", "expected"),
    [
        ("UG", "0772123456", ("+256772123456", "u")),
        ("UG", "+63 917 123 4567", ("+639171234567", "p")),
        ("ph", "0917 123 4567", ("+639171234567", "p")),
        (None, "256772123456", ("+256772123456", "u")),
    ],
)
async def test_numbers_are_read_once_in_the_routers_region(
    region: str | None, number: str, expected: tuple[str, str]
) -> None:
    """The router's region decides what a national number is, whatever the members' own is."""
    router = Failover(
        IprogProvider("t", name="p"), UgsmsV2Provider("k" * 20, name="u"), region=region
    )
    prepared = router.prepare(Message(number, "Hi"))
    able = [name for name, member in router.members.items() if _takes(member, prepared.e164)]

    assert expected == (prepared.e164, *able)
    assert prepared.e164 == router.e164(number)


def _takes(member: Any, e164: str) -> bool:
    try:
        member.prepare(Message(e164, "Hi"))
    except InvalidMessageError:
        return False
    return True


@pytest.mark.parametrize("region", ["PH", None])
def test_a_number_of_another_region_is_refused(region: str | None) -> None:
    """`0772123456` is no mobile number in the Philippines, and means nothing without a region."""
    router = Failover(IprogProvider("t"), UgsmsV2Provider("k" * 20), region=region)

    with pytest.raises(InvalidMessageError, match="772123456"):
        router.prepare(Message("0772123456", "Hi"))
    with pytest.raises(InvalidMessageError, match="'0772123456'"):
        router.e164("0772123456")


def test_a_number_is_read_as_the_first_member_that_can_text_it_does() -> None:
    """What members want of a text, such as a sender ID, or a bug in one, keeps no number unread."""
    broken, unnamed = Broken(name="a"), InfopromoProvider("1|token")

    assert NUMBER == Failover(broken, unnamed, region="PH").e164("0917 123 4567")
    with pytest.raises(InvalidMessageError, match="a can't read the number: ZeroDivision"):
        Failover(broken).e164(NUMBER)


def test_if_all_refuse_the_first_members_error_is_raised() -> None:
    """A message that no member can take fails before any network, with the first one's words."""
    router = Failover(IprogProvider("t", name="first"), IprogProvider("t", name="second"))

    with pytest.raises(UnsupportedError, match="first takes no sender ID"):
        router.prepare(Message(NUMBER, "Hi", sender_id="Shop"))


async def test_a_member_that_cannot_take_it_is_passed_over() -> None:
    """What a member refuses without being asked goes to the next, and is no failure."""
    b = gateway("b")
    router = Failover(IprogProvider("t", name="a"), b, breaker=BreakerPolicy(failures=1))
    prepared = router.prepare(Message(NUMBER, "Hi", sender_id="Shop"))
    (outcome,) = await router.submit([prepared])

    assert ("accepted", "b") == told(outcome)


def test_an_adapter_that_breaks_in_prepare_is_passed_over() -> None:
    """A bug in one member's checks keeps no message from another."""
    prepared = Failover(Broken(name="a"), gateway("b")).prepare(Message(NUMBER, "Hi"))
    with pytest.raises(InvalidMessageError, match="a can't prepare the message: ZeroDivision"):
        Failover(Broken(name="a")).prepare(Message(NUMBER, "Hi"))

    assert NUMBER == prepared.e164


async def test_options_are_dropped_for_members_that_cannot_use_them() -> None:
    """One vendor's options do not keep a message from another vendor's gateway."""
    seen: list[object] = []

    async def look(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        seen.extend(prepared.message.options for prepared in batch)
        return [failed(prepared, unreachable()) for prepared in batch]

    class Optional(FakeProvider):
        options_type = IprogOptions

    options = IprogOptions(sms_provider=1)
    inner = Failover(Optional(name="inside", send=look), name="inner")
    router = Failover(
        gateway("a", look),
        Optional(name="b", send=look),
        inner,
        retry=ONE_ROUND,
        clock=InstantClock(),
    )
    await router.bind(never).submit([router.prepare(Message(NUMBER, "Hi", options=options))])

    assert [None, options, options] == seen


def test_options_that_no_member_can_use_are_refused() -> None:
    """Options of a vendor that is not there are a mistake, and not dropped in silence."""
    router = Failover(IprogProvider("t"), gateway("b"))

    with pytest.raises(InvalidMessageError, match="failover can use options of type Infopromo"):
        router.prepare(Message(NUMBER, "Hi", options=InfopromoOptions()))
