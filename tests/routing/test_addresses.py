from __future__ import annotations

import pytest

from iprog_async import (
    ConfigurationError,
    Failover,
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
    ],
)
def test_addresses_that_make_no_sense(address: str, words: str) -> None:
    """A wrong address is told without any credential of it."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        provider_from_url(address)

    assert "S3CRET" not in str(caught.value)
