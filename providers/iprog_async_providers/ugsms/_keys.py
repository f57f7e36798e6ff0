"""API keys that UGSMS makes, replaces and revokes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from iprog_async import InvalidMessageError
from iprog_async.adapter import MASK, Answer, Effect, UnclearAnswer, is_object, words
from iprog_async_providers.ugsms import _answers
from iprog_async_providers.ugsms._api import Api


T = TypeVar("T")

# All that an error may quote from an answer which can hold a key.
_WORDS = ("success", "error", "message", "help", "errors")


@frozen
class ApiKey:
    """An API key that UGSMS made: `UgsmsV2Provider(new.key)`.

    Args:
        key: The key itself; not in the repr.
        expires_at: Until when it is valid, as the gateway writes it; empty where it does not
            say. Its zone is not documented.
    """

    key: str = field(repr=False)
    expires_at: str = ""


class Keys:
    """Generates, revokes and regenerates the account's API key.

    The vendor's page lists the three addresses and no authentication for them. This adapter
    sends its own credentials: the header for an API key, the JSON body for a user name and
    password (INFER). No answer to them is documented either, so several shapes are read.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    async def generate(self, expiry_days: int | None = None) -> ApiKey:
        """Have a new API key made; never repeated by itself.

        Undocumented authentication, see the class.

        Args:
            expiry_days: 1 to 365 days; the gateway's choice if `None`.

        Raises:
            InvalidMessageError: `expiry_days` makes no sense; nothing was made.
            ProviderError: The gateway refused; nothing was made.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            OutcomeUnknownError: A key may have been made.
        """
        return await self._make("/api/generate-key", "generate the key", expiry_days)

    async def regenerate(self, expiry_days: int | None = None) -> ApiKey:
        """Have the API key replaced by a new one; never repeated by itself.

        The old key, perhaps this provider's own, is void afterwards. Undocumented
        authentication, see the class.

        Args:
            expiry_days: 1 to 365 days; the gateway's choice if `None`.

        Raises:
            InvalidMessageError: `expiry_days` makes no sense; nothing was changed.
            ProviderError: The gateway refused; nothing was changed.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            OutcomeUnknownError: The key may have been replaced, and the new one is lost.
        """
        return await self._make("/api/regenerate-key", "regenerate the key", expiry_days)

    async def revoke(self) -> None:
        """Revoke the API key, perhaps this provider's own; twice is as good as once.

        Undocumented authentication, see the class.

        Raises:
            AuthenticationError: The credentials are not accepted. For a provider that revokes
                its own key, this also follows a revocation whose answer was lost.
            ProviderError: The gateway refused.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            NoAnswerError: No trustworthy answer; revoking again does no harm.
        """
        await self._api.manage(
            "/api/revoke-key",
            self._reader(_read_revoked),
            "revoke the key",
            {},
            effect=Effect.IDEMPOTENT,
            on_gone=_gone,
        )

    async def _make(self, path: str, what: str, expiry_days: int | None) -> ApiKey:
        body: dict[str, object] = {}
        if expiry_days is not None:
            if isinstance(expiry_days, bool) or not 1 <= expiry_days <= 365:
                raise InvalidMessageError(f"expiry_days is 1 to 365, not {expiry_days}")
            body["expiry_days"] = expiry_days
        return await self._api.manage(path, self._reader(_read_key), what, body)

    def _reader(self, read: Callable[[_answers.Envelope], T]) -> Callable[[Answer], T]:
        """Return a function that checks the envelope with nothing in sight but its words."""
        api = self._api

        def check_and_read(answer: Answer) -> T:
            data: object = answer.data
            hidden = False
            if is_object(data):
                hidden = any(data[key] for key in data if key not in _WORDS)
                data = {key: data[key] for key in _WORDS if key in data}
            # What is kept back may be a new key, so that no words are a refusal.
            shown = evolve(answer, data=data, says_taken=hidden)
            _answers.check(shown, api.gateway.name, api.refusals, lenient=True)
            return read(answer.object())

        return check_and_read


def _read_key(body: dict[str, Any]) -> ApiKey:
    data: object = body.get("data")
    inner: dict[str, Any] = data if is_object(data) else {}
    keys = (inner.get("api_key"), body.get("api_key"), inner.get("key"), body.get("key"))
    key = _first_text(keys)
    if not key:
        raise UnclearAnswer("an answer without a key in it")
    if MASK in key:
        # Masked because it is a credential of this very provider: nothing new was made.
        raise UnclearAnswer("an answer that repeats the key in use")
    return ApiKey(key, _first_text((inner.get("expires_at"), body.get("expires_at"))))


def _first_text(values: tuple[object, ...]) -> str:
    return next((value.strip() for value in values if isinstance(value, str) and value.strip()), "")


def _read_revoked(body: dict[str, Any]) -> None:
    """Want a word that it worked: an empty object must not pass for a revoked key."""
    if body.get("success") is not True and not words(body.get("message")):
        raise UnclearAnswer("an answer that says nothing")


def _gone() -> None:
    """Stand for the answer of an earlier try, which had revoked it."""
