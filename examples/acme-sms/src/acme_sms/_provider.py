"""The adapter: Acme's wire and nothing else. It opens no socket, and repeats nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar
from urllib.parse import quote

from attrs import field, frozen

from iprog_async import (
    AuthenticationError,
    Balance,
    DeliveryState,
    DeliveryStatus,
    InsufficientCreditError,
    NotFoundError,
    Outcome,
    RejectedError,
)
from iprog_async.adapter import (
    Answer,
    BaseProvider,
    Batching,
    Capabilities,
    Effect,
    ErrorForm,
    Gateway,
    HttpCall,
    Id,
    PreparedMessage,
    Refusal,
    SmsUrl,
    UnclearAnswer,
    accepted,
    clean_secret,
    is_object,
    names_errors,
    refuse_or_give_up,
    structure,
    to_e164,
)


if TYPE_CHECKING:
    from iprog_async.sandbox import SandboxGateway

T = TypeVar("T")

BASE_URL = "https://sms.acme.example"

# Acme's documentation says of each that nothing is sent: sms.acme.example/docs/errors.
REFUSALS = (
    Refusal(AuthenticationError, "unknown key", status=(401,), evidence="DOC"),
    Refusal(InsufficientCreditError, "out of credit", status=(402,), evidence="DOC"),
    Refusal(NotFoundError, "no such text", status=(404,), evidence="DOC"),
    Refusal(RejectedError, "invalid number", status=(422,), blame="recipient", evidence="DOC"),
    Refusal(RejectedError, "text not allowed", status=(422,), evidence="DOC"),
)
# Its errors hold nothing else; an answer that does proves no refusal.
ERROR = ErrorForm({}, ("error",))

STATES: Mapping[str, DeliveryState] = {
    "queued": "pending",
    "sent": "sent",
    "delivered": "delivered",
    "failed": "failed",
}


@frozen
class _Sent:
    id: Id


@frozen
class _Progress:
    state: str


@frozen
class _Credit:
    credit: Decimal
    currency: str


def _api_key(value: str) -> str:
    return clean_secret(value, "Acme key", header=True)


@frozen(eq=False, slots=False)
class AcmeProvider(BaseProvider):
    """Acme SMS, Philippines: one text in a request, and no way to schedule it.

    Args:
        api_key: The account's key.
        name: Unique label of this account.
        base_url: Another host, or the sandbox.
        rate: The most requests, such as `"60/min"`; Acme documents no limit.
        refusals: Further refusals that are certainly made before dispatch.

    Raises:
        ConfigurationError: The key or a setting is missing or wrong; no key is shown.
    """

    scheme: ClassVar[str] = "acme"
    env_names: ClassVar[tuple[str, ...]] = ("ACME_SMS_KEY",)
    capabilities: ClassVar[Capabilities] = Capabilities(title="Acme SMS")

    api_key: str = field(converter=_api_key, repr=False)
    name: str = field(default="acme", kw_only=True)
    base_url: str = field(default=BASE_URL, kw_only=True)

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Build the provider from `ACME_SMS_KEY`."""
        key = environ.get("ACME_SMS_KEY", "").strip()
        return cls(key) if key else None

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from `acme://KEY@`."""
        settings = url.settings(name=str, rate=str)
        return cls(url.credential(), base_url=url.base_url(BASE_URL), **settings)

    @classmethod
    def sandbox(cls) -> SandboxGateway:
        """Return Acme's part in the local sandbox."""
        # Imported here, because it needs the extra `sandbox`.
        from acme_sms._sandbox import GATEWAY

        return GATEWAY

    @property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        headers = (("X-Key", self.api_key),)
        return Gateway(self.name, self.base_url, (self.api_key,), self.rate, headers)

    @property
    def batching(self) -> Batching:
        """What one request may carry: one text."""
        return Batching(max_batch=1)

    async def status(self, message_id: str, /) -> DeliveryStatus:
        """Return how far an accepted text has come.

        Raises:
            NotFoundError: Acme knows no such text.
            NoAnswerError: No trustworthy answer; ask again.
        """

        def read(answer: Answer) -> DeliveryStatus:
            word = structure(self._body(answer), _Progress).state
            return DeliveryStatus(STATES.get(word, "unknown"), word, answer.data)

        return await self._get(f"/texts/{quote(message_id, safe='')}", read, "read the status")

    async def balance(self) -> Balance:
        """Return what is left on the account.

        Raises:
            NoAnswerError: No trustworthy answer; ask again.
        """

        def read(answer: Answer) -> Balance:
            found = structure(self._body(answer), _Credit)
            return Balance(found.credit, found.currency, str(found.credit), answer.data)

        return await self._get("/credit", read, "read the balance")

    async def _get(self, path: str, read: Callable[[Answer], T], what: str) -> T:
        return await self._call(HttpCall(self.gateway, "GET", path, read, what, effect=Effect.READ))

    def _number(self, number: str) -> tuple[str, str]:
        e164 = to_e164(number, "PH", mobile_only=True)
        return e164, e164.removeprefix("+")

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        (prepared,) = batch

        def read(answer: Answer) -> list[Outcome]:
            body = self._body(answer)
            if names_errors(body):
                raise UnclearAnswer("a success with an error in it")
            message_id = structure(body, _Sent).id
            return [accepted(prepared, self.name, message_id=message_id, raw=answer.data)]

        body = {"to": prepared.to, "text": prepared.wire.text}
        if prepared.wire.sender_id is not None:
            body["from"] = prepared.wire.sender_id
        call = HttpCall(self.gateway, "POST", "/texts", read, "send the text", json=body)
        return await self._call(call)

    def _body(self, answer: Answer) -> dict[str, object]:
        """Return the body of a success; raise what any other answer proves, or that it doesn't."""
        if answer.status == 200:
            return answer.object()
        words = answer.data.get("error", "") if is_object(answer.data) else ""
        reason = words if isinstance(words, str) else ""
        rows = (*self.refusals, *REFUSALS)
        raise refuse_or_give_up(answer, rows, provider=self.name, reason=reason, form=ERROR)
