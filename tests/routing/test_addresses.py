from __future__ import annotations

import pytest

from iprog_async import (
    ConfigurationError,
    Failover,
    Message,
    RoundRobin,
    SmsClient,
    provider_from_env,
    provider_from_url,
)


@pytest.mark.parametrize(
    ("address", "kind", "names"),
    [
        ("iprog://T@ || infopromo://1%7CT@?sender_id=X", Failover, ["iprog", "infopromo"]),
        ("iprog://T@ && ugsms-v2://KEY@", RoundRobin, ["iprog", "ugsms-v2"]),
        (
            " iprog://1||2@  ||\tiprog://a%26&&b@?name=second || ugsms-v2://KEY@ ",
            Failover,
            ["iprog", "second", "ugsms-v2"],
        ),
    ],
)
def test_several_gateways_in_one_address(
    address: str, kind: type[Failover | RoundRobin], names: list[str]
) -> None:
    """Signs between white space part the gateways; inside of a credential they are its own."""
    provider = provider_from_url(address)

    assert isinstance(provider, kind)
    assert names == list(provider.members)


@pytest.mark.parametrize(
    ("address", "kind", "region", "name"),
    [
        ("(iprog://T@ || ugsms-v2://KEY@)?region=ph", Failover, "PH", "failover"),
        (" ( iprog://T@ && ugsms-v2://KEY@ )?name=all&region=UG ", RoundRobin, "UG", "all"),
        ("(iprog://T@ || ugsms-v2://KEY@)", Failover, None, "failover"),
        ("(iprog://a)b(@ || ugsms-v2://KEY@)?region=PH", Failover, "PH", "failover"),
    ],
)
def test_settings_of_all_gateways_stand_behind_a_parenthesis(
    address: str, kind: type[Failover | RoundRobin], region: str | None, name: str
) -> None:
    """What follows the parenthesis is the router's own, whatever the members' settings are."""
    provider = provider_from_url(address)

    assert isinstance(provider, kind)
    assert (region, name, 2) == (provider.region, provider.name, len(provider.members))


def test_the_last_member_keeps_its_own_settings() -> None:
    """Without a parenthesis a region belongs to the address it stands in."""
    bare = provider_from_url("iprog://T@ || infopromo://K@?sender_id=X&region=PH")
    both = provider_from_url("(iprog://T@ || infopromo://K@?sender_id=X&region=KE)?region=PH")

    assert isinstance(bare, Failover)
    assert isinstance(both, Failover)
    assert (None, "PH") == (bare.region, bare.members["infopromo"].region)
    assert ("PH", "KE") == (both.region, both.members["infopromo"].region)
    assert "+639171234567" == both.prepare(Message("0917 123 4567", "Hello")).e164


def test_a_parenthesis_around_one_address_changes_nothing() -> None:
    """One address in a parenthesis is that address."""
    assert "shop" == provider_from_url("(iprog://T@?name=shop)").name


def test_from_the_environment() -> None:
    """`SMS_URL` may name several gateways."""
    address = "iprog://T@ || ugsms-v2://KEY@"

    assert isinstance(provider_from_env({"SMS_URL": address}), Failover)
    assert isinstance(SmsClient.from_url(address).provider, Failover)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("iprog://S3CRET@ || ugsms-v2://K@ && iprog://T@?name=b", "not both"),
        ("iprog://S3CRET@ || iprog://T@", "two gateways are called 'iprog'"),
        ("iprog://S3CRET@ ||", "an SMS address looks like"),
        ("|| iprog://S3CRET@", "an SMS address looks like"),
        ("iprog://S3CRET@ || || ugsms-v2://K@", "an SMS address looks like"),
        ("iprog://S3CRET@ || nosuch://K@", "there is no provider 'nosuch'"),
        ("&&", "an SMS address looks like"),
        ("(iprog://S3CRET@ || ugsms-v2://K@", "a parenthesis in an SMS address"),
        ("(iprog://S3CRET@ || ugsms-v2://K@)?colour=red", "it takes name and region"),
        ("(iprog://S3CRET@ || ugsms-v2://K@)?region", "a parenthesis in an SMS address"),
        ("(iprog://S3CRET@ || ugsms-v2://K@)?region=PH&region=UG", "it takes name and region"),
        ("(iprog://S3CRET@ || ugsms-v2://K@)?region=Kenya", "region 'Kenya' is not two letters"),
        ("(iprog://S3CRET@ || ugsms-v2://K@)?name=", "is no name for a provider"),
        ("(iprog://S3CRET@ || ugsms-v2://K@) && iprog://T@?name=b", "a parenthesis in an SMS"),
        ("(iprog://S3CRET@)?region=PH", "settings behind a parenthesis are for several"),
        ("()", "an SMS address looks like"),
    ],
)
def test_addresses_that_make_no_sense(address: str, words: str) -> None:
    """A wrong address is told without any credential of it."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        provider_from_url(address)

    assert "S3CRET" not in str(caught.value)
