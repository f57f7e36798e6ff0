from __future__ import annotations

import pytest

from iprog_async import provider_from_url
from iprog_async.cli._terminal.hosts import is_loopback
from iprog_async.cli._terminal.show import gateway_data, gateway_words


@pytest.mark.parametrize(
    ("address", "words", "hosts"),
    [
        ("iprog://t0ken@", "iprog", {}),
        (
            "iprog://t0ken@?base_url=https://sms.example.com/a/b",
            "iprog at sms.example.com",
            {"iprog": "sms.example.com"},
        ),
        (
            "iprog://t0ken@?base_url=http://127.0.0.1:8025/iprog",
            "iprog on this machine",
            {"iprog": "127.0.0.1:8025"},
        ),
        (
            "iprog://t0ken@?base_url=http://localhost:8025 || ugsms-v2://k3y@",
            "failover of iprog on this machine, ugsms-v2; international numbers only",
            {"iprog": "localhost:8025"},
        ),
    ],
)
def test_where_texts_go(address: str, words: str, hosts: dict[str, str]) -> None:
    """A host that is not the gateway's own is told, its sandbox's included, and no credential."""
    provider = provider_from_url(address)

    assert (words, hosts) == (gateway_words(provider), gateway_data(provider)["hosts"])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.2:80", True),
        ("[::1]:80", True),
        ("localhost", True),
        ("127.0.0.1.example.com", False),
        ("10.0.0.1", False),
    ],
)
def test_this_machine(host: str, expected: bool) -> None:
    """Only a loopback address is this machine for certain."""
    assert expected == is_loopback(host)
