from __future__ import annotations

from decimal import Decimal

import pytest
from support.cli.runner import Cli

from iprog_async import Balance, provider_types
from iprog_async.cli._terminal import show
from iprog_async.sandbox import Sandbox


@pytest.mark.usefixtures("_iprog")
def test_words(cli: Cli) -> None:
    """The balance is one line."""
    ran = cli("balance")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("iprog: 1000")


_ABLE = [
    name
    for name, cls in provider_types().items()
    if hasattr(cls, "balance") and cls.sandbox() is not None
]


@pytest.mark.parametrize("name", _ABLE)
def test_json(cli: Cli, sandbox: Sandbox, name: str) -> None:
    """Each gateway that can tell does so in the same JSON."""
    ran = cli("balance", "--json", "--url", sandbox.address(name))
    assert (0, {"provider", "amount", "unit", "text"}) == (ran.code, set(ran.json))


def test_unsupported(cli: Cli, sandbox: Sandbox) -> None:
    """A gateway without a balance is wrong usage, and the line says who has one."""
    ran = cli("balance", "--url", sandbox.address("ugsms-v1"))
    assert (ran.code, "providers with it" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("balance", "words"),
    [
        (Balance(Decimal("5.50"), "UGX"), "5.50 UGX"),
        (Balance(Decimal(5)), "5"),
        (Balance(None, text="Unlimited"), "Unlimited"),
        (Balance(None), "unknown"),
    ],
)
def test_balances(balance: Balance, words: str) -> None:
    """A number has its unit; where there is none, the gateway's words are shown."""
    assert words == show.balance_words(balance)


def test_no_number_in_json() -> None:
    """A balance in words has no amount."""
    expected = {"provider": "p", "amount": None, "unit": "", "text": "Unlimited"}
    assert expected == show.balance_data("p", Balance(None, text="Unlimited"))


def test_several_gateways(cli: Cli, sandbox: Sandbox) -> None:
    """Of several gateways each tells what is left on its own account."""
    both = f"{sandbox.address('iprog')} || {sandbox.address('ugsms-v2')}"
    words, data = cli("balance", "--url", both), cli("balance", "--url", both, "--json").json
    checked = cli("doctor", "--check", "--url", both)

    names = ["iprog", "ugsms-v2"]
    assert names == [line.partition(":")[0] for line in words.out.splitlines()]
    assert names == [one["provider"] for one in data]
    assert "answers, balance of iprog 1000 credits, ugsms-v2 " in checked.out


def test_several_gateways_of_which_one_tells_nothing(cli: Cli, sandbox: Sandbox) -> None:
    """A gateway without a balance is named all the same."""
    both = f"{sandbox.address('iprog')} || {sandbox.address('ugsms-v1')}"
    words, data = cli("balance", "--url", both), cli("balance", "--url", both, "--json").json

    assert (0, "ugsms-v1: not told") == (words.code, words.out.splitlines()[1])
    assert {"provider": "ugsms-v1", "amount": None, "unit": "", "text": ""} == data[1]
    assert "ugsms-v1 not told" in cli("doctor", "--check", "--url", both).out
