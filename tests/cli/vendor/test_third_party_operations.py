from __future__ import annotations

import pytest
from support.cli.runner import Cli
from support.cli.toy_vendor import CodesProvider

from iprog_async import provider_types
from iprog_async.cli._options.times import to_zone
from iprog_async.cli._options.when import zone_name


_URL = ["--url", "codes://sandbox-token@127.0.0.1:1"]


@pytest.fixture(autouse=True)
def _installed(plugins: dict[str, str]) -> None:
    """Two providers of somebody else's are installed."""
    plugins["codes"] = "support.cli.toy_vendor:CodesProvider"
    plugins["half"] = "support.cli.toy_vendor:HalfProvider"


def test_same_shape(cli: Cli) -> None:
    """Anybody's operations of the same shape are reached by the same commands."""
    sent = cli("otp", "send", "0917", "--show", *_URL)
    checked = [cli("otp", "verify", "0917", code, *_URL).out for code in ("471147", "1")]

    assert "Sent a code to 0917\nThe code is 471147\n" == sent.out
    assert ["verified\n", "not verified\n"] == checked
    assert "no codes\n" == cli("otp", "list", *_URL).out
    assert [] == cli("otp", "list", *_URL, "--json").json
    assert None is cli("otp", "send", "0917", "--json", *_URL).json["expires_at"]


def test_other_shape(cli: Cli) -> None:
    """Operations of another shape are none, and the others that have them are named."""
    ran = cli("otp", "send", "0917", "--url", "half://sandbox-token@127.0.0.1:1")

    assert 2 == ran.code
    assert "has no one-time passwords; gateways that have: codes, " in ran.err


def test_zone() -> None:
    """A gateway's zone is what its capabilities say."""
    provider = CodesProvider("sandbox-token", base_url="http://127.0.0.1:1")
    assert ("Asia/Tokyo", None) == (zone_name(provider), zone_name(object()))


def test_zones_exist() -> None:
    """The zone of each installed gateway is one."""
    named = (cls.capabilities.timezone for cls in provider_types().values())
    zones = {zone for zone in named if zone is not None}

    assert {"Asia/Manila", "Africa/Kampala", "Asia/Tokyo"} == zones
    assert sorted(zones) == sorted(to_zone(zone).key for zone in zones)
