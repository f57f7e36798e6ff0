"""Making and revoking UGSMS's API keys."""

from __future__ import annotations

import httpx
import pytest
import respx
from support.ugsms.wire import API_KEY, HOST, client, v1, v2

from iprog_async import (
    AuthenticationError,
    NoAnswerError,
    OutcomeUnknownError,
    RetryPolicy,
    SmsClient,
)
from iprog_async_providers.ugsms import ApiKey


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"success": True, "data": {"api_key": "k-1", "expires_at": "2026-12-31"}},
            ("k-1", "2026-12-31"),
        ),
        ({"api_key": "k-2", "expires_at": "2027"}, ("k-2", "2027")),
        ({"success": True, "data": {"key": " k-3\n"}}, ("k-3", "")),
        ({"message": "API key made", "key": "k-4"}, ("k-4", "")),
    ],
)
@pytest.mark.parametrize("operation", ["generate", "regenerate"])
async def test_a_new_key_is_found_in_any_likely_place(
    respx_mock: respx.MockRouter, operation: str, body: object, expected: tuple[str, str]
) -> None:
    """No answer is documented, so four places are read; the repr shows no key."""
    respx_mock.post(f"{HOST}/api/{operation}-key").respond(json=body)
    async with client(v1()) as sms:
        made: ApiKey = await getattr(sms.provider.keys, operation)()
    assert expected == (made.key, made.expires_at)
    assert "k-" not in repr(made)


SECRET = "ug-brand-new-secret"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"success": True}),
        httpx.Response(200, json={"success": True, "data": {"api_key": ["x"], "k": SECRET}}),
        httpx.Response(200, json={"success": False, "data": {"api_key": SECRET}}),
        httpx.Response(200, json={"success": True, "data": {"api_key": API_KEY}}),
        httpx.Response(200, json=[SECRET]),
        httpx.Response(200, text=SECRET),
        httpx.Response(500, json={"message": "Server Error", "key": SECRET}),
    ],
    ids=lambda answer: answer.text[:60],
)
async def test_a_key_that_may_have_been_made_is_unknown_and_not_shown(
    respx_mock: respx.MockRouter, answer: httpx.Response
) -> None:
    """An unclear answer is not repeated, and its error quotes nothing that may be a key."""
    route = respx_mock.post(f"{HOST}/api/generate-key").mock(return_value=answer)
    async with SmsClient(v2(), retry=RetryPolicy(base=0)) as sms:
        with pytest.raises(OutcomeUnknownError) as caught:
            await sms.provider.keys.generate()
    assert route.call_count == 1
    shown = f"{caught.value!r} {caught.value.__dict__}"
    assert [secret for secret in (SECRET, API_KEY) if secret in shown] == []


async def test_a_refusal_beside_a_key_is_none_and_shows_no_key(
    respx_mock: respx.MockRouter,
) -> None:
    """Where a key stands beside the words, one may have been made; nothing keeps it."""
    body = {"error": "Unauthorized.", "key": SECRET, "data": {"key": SECRET}}
    respx_mock.post(f"{HOST}/api/regenerate-key").respond(401, json=body)
    async with client(v1()) as sms:
        with pytest.raises(OutcomeUnknownError) as caught:
            await sms.provider.keys.regenerate()
    assert SECRET not in f"{caught.value!r} {caught.value.__dict__}"


async def test_a_refusal_about_keys_is_certain(respx_mock: respx.MockRouter) -> None:
    """The words alone are a refusal, as of a send."""
    respx_mock.post(f"{HOST}/api/regenerate-key").respond(401, json={"error": "Unauthorized."})
    async with client(v1()) as sms:
        with pytest.raises(AuthenticationError) as caught:
            await sms.provider.keys.regenerate()
    assert caught.value.raw == {"error": "Unauthorized."}


@pytest.mark.parametrize(
    "second",
    [
        httpx.Response(200, json={"message": "API key revoked"}),
        httpx.Response(200, json={"success": True}),
        httpx.Response(404),
    ],
)
async def test_revoking_is_tried_again(
    respx_mock: respx.MockRouter, second: httpx.Response
) -> None:
    """Twice is as good as once; nothing left to revoke means that the first try worked."""
    route = respx_mock.post(f"{HOST}/api/revoke-key").mock(
        side_effect=[httpx.Response(502), second]
    )
    async with SmsClient(v2(), retry=RetryPolicy(base=0)) as sms:
        await sms.provider.keys.revoke()
    assert route.call_count == 2


async def test_an_answer_without_words_revokes_nothing(respx_mock: respx.MockRouter) -> None:
    """A key must not be taken for revoked because of an empty object."""
    respx_mock.post(f"{HOST}/api/revoke-key").respond(json={})
    async with client(v2()) as sms:
        with pytest.raises(NoAnswerError):
            await sms.provider.keys.revoke()
