from __future__ import annotations

import copy
import json
import pickle
from typing import Any
from urllib.parse import urlencode

import attrs
import pytest
from rich.pretty import pretty_repr

from iprog_async import SmsClient
from iprog_async._core.sealed import SealedBytes
from iprog_async.adapter import Gateway, HttpCall, Secret, clean_secret
from iprog_async.testing._contract.secret_finder import held_by, leaks
from iprog_async_providers import (
    EgoSmsProvider,
    InfopromoHttpProvider,
    InfopromoProvider,
    IprogProvider,
    UgsmsV1Provider,
    UgsmsV2Provider,
)


TOKEN = "17|t0k/en+S3cr=et&" + "x" * 90
PROVIDERS: dict[str, Any] = {
    "egosms": EgoSmsProvider("shop", TOKEN),
    "iprog": IprogProvider(TOKEN),
    "infopromo": InfopromoProvider(TOKEN, sender_id="Shop"),
    "infopromo-http": InfopromoHttpProvider(TOKEN, sender_id="Shop"),
    "ugsms-v1": UgsmsV1Provider("shop", TOKEN),
    "ugsms-v2": UgsmsV2Provider(TOKEN),
}


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(TOKEN)),
        f"{Secret(TOKEN)!r:20}",
        repr({"a": [Secret(TOKEN)]}),
        pretty_repr({"a": Secret(TOKEN)}, max_string=20),
        repr(Secret(TOKEN)[:10]),
        repr("Bearer " + Secret(TOKEN)),
        repr(Secret(TOKEN) + "!"),
        repr(SealedBytes(TOKEN.encode())),
        repr(SealedBytes(TOKEN.encode())[2:]),
        pretty_repr(SealedBytes(TOKEN.encode()), max_string=20),
        repr(clean_secret(TOKEN, "token")),
    ],
)
def test_a_secret_shows_nothing_of_itself(shown: str) -> None:
    """Neither whole, nor cut, nor with something before or after it, nor as bytes."""
    assert leaks([shown], [TOKEN, TOKEN[:10], TOKEN[2:10]]) == []


def test_a_secret_travels_as_the_text_that_it_is() -> None:
    """It is equal to its text, and JSON, a form and a header field have the text."""
    secret = Secret("a b|c")

    assert ("a b|c", "a b|c", '{"t": "a b|c"}', "t=a+b%7Cc", "Bearer a b|c") == (
        secret,
        str(secret),
        json.dumps({"t": secret}),
        urlencode({"t": secret}),
        f"Bearer {secret}",
    )


def test_bytes_of_a_request_stay_bytes() -> None:
    """One of them is a number; a piece of them is sealed, too."""
    sealed = SealedBytes(b"abc")

    assert (b"abc", 97, b"bc") == (sealed, sealed[0], sealed[1:])


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_secret_is_the_secret(copied: type) -> None:
    """Copying works, as for every text."""
    secret = Secret(TOKEN)

    assert secret is copied(secret)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_refuses_to_be_pickled(name: str) -> None:
    """A pickle would hold the credential; the error says what to do instead."""
    with pytest.raises(TypeError, match="can't be pickled: build a provider or client of its own"):
        pickle.dumps(PROVIDERS[name])


@pytest.mark.parametrize("name", PROVIDERS)
def test_what_holds_a_provider_is_shown_without_its_credential(name: str) -> None:
    """Provider, gateway, client, and their copies: attributes, `asdict` and rich show nothing."""
    provider = PROVIDERS[name]
    call = HttpCall(
        provider.gateway,
        "POST",
        "/x",
        lambda answer: answer,
        "x",
        headers=(("Authorization", f"Bearer {TOKEN}"),),
        secrets=(TOKEN,),
    )
    sms = SmsClient(provider)
    values = [provider, copy.deepcopy(provider), provider.gateway, call, sms, sms.provider]
    shown = [text for value in values for text in held_by(value)]

    assert leaks([*shown, repr(attrs.asdict(call))], [TOKEN]) == []


def test_a_gateway_seals_what_it_is_given() -> None:
    """An adapter that keeps plain texts gets sealed ones back."""
    gateway = Gateway("x", "http://x", (TOKEN,), headers=(("Authorization", f"Bearer {TOKEN}"),))

    assert (Secret, TOKEN) == (type(gateway.secrets[0]), gateway.secrets[0])
    assert (("Authorization", f"Bearer {TOKEN}"),) == gateway.headers
    assert "***" in repr(gateway.headers)
