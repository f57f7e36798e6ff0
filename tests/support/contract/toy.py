"""An adapter as a third party would write it, and broken copies that the contract must catch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from attrs import evolve, field, frozen

from iprog_async import Outcome, RejectedError, UnsupportedError
from iprog_async.adapter import (
    Answer,
    BaseProvider,
    Batching,
    Call,
    Capabilities,
    Effect,
    ErrorForm,
    Gateway,
    HttpCall,
    Message,
    PreparedMessage,
    Refusal,
    SmsUrl,
    UnclearAnswer,
    accepted,
    clean_secret,
    give_up,
    id_or_none,
    names_errors,
    refuse_or_give_up,
    to_e164,
    words,
)
from iprog_async.testing import ContractCase, Operation, Reply
from support.contract.data import PHILIPPINE, TOKEN


REFUSALS = (Refusal(RejectedError, "^blocked$"),)
ERROR = ErrorForm({}, ["error"])


@frozen(eq=False, slots=False)
class ToyProvider(BaseProvider):
    """A gateway with one address, which takes up to ten recipients."""

    scheme: ClassVar[str] = "toy"
    capabilities: ClassVar[Capabilities] = Capabilities(title="Toy")
    effect: ClassVar[Effect] = Effect.ONCE

    token: str = field(repr=False)
    name: str = field(default="toy", kw_only=True)
    base_url: str = field(kw_only=True)

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from `toy://TOKEN@host`."""
        return cls(
            clean_secret(url.credential(), "token"), base_url=url.base_url(), **url.settings()
        )

    @property
    def batching(self) -> Batching:
        """One text for ten."""
        return Batching(max_batch=10)

    @property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        headers = (("Authorization", f"Token {self.token}"),)
        return Gateway(self.name, self.base_url, (self.token,), headers=headers)

    async def credit(self) -> object:
        """Return what is left."""

        def read(answer: Answer) -> object:
            return self.check(answer)["n"]

        return await self._call(
            HttpCall(self.gateway, "GET", "/credit", read, "read the credit", effect=Effect.READ)
        )

    async def page(self) -> None:
        """Call the owner, which costs."""
        await self._call(HttpCall(self.gateway, "POST", "/page", self.check, "page"))

    async def forget(self) -> None:
        """Delete what the gateway keeps."""
        await self._call(
            HttpCall(
                self.gateway,
                "DELETE",
                "/kept",
                self.check,
                "forget",
                effect=Effect.IDEMPOTENT,
                on_gone=dict[str, Any],
            )
        )

    def check(self, answer: Answer) -> dict[str, Any]:
        """Return the body of a success; raise what any other answer means."""
        try:
            body = answer.object()
        except UnclearAnswer:
            raise give_up(answer, provider=self.name) from None
        if answer.status == 200 and "ids" in body:
            if names_errors(body):
                raise UnclearAnswer("ids with an error beside them")
            return body
        reason = " ".join(words(body.get("error")))
        raise refuse_or_give_up(answer, REFUSALS, provider=self.name, reason=reason, form=ERROR)

    def read(self, answer: Answer, batch: Sequence[PreparedMessage]) -> list[Outcome]:
        """Read the answer of a send."""
        ids = [id_or_none(each) for each in self.check(answer)["ids"]]
        if None in ids:
            raise UnclearAnswer("an id is missing")
        if len(ids) != len(batch):
            raise UnclearAnswer("ids and recipients differ in number")
        return [
            accepted(prepared, self.name, message_id=message_id)
            for prepared, message_id in zip(batch, ids, strict=True)
        ]

    def _check(self, message: Message) -> None:
        if message.schedule_at is not None:
            raise UnsupportedError("the toy can't wait")

    def _number(self, number: str) -> tuple[str, str]:
        e164 = to_e164(number, "PH")
        return e164, e164[1:]

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        call = HttpCall(
            self.gateway,
            "POST",
            "/send",
            lambda answer: self.read(answer, batch),
            "send the text",
            effect=self.effect,
            json={"to": [p.to for p in batch], "text": batch[0].message.text},
        )
        return await self._call(call)


class Repeating(ToyProvider):
    """Thinks that a send is a read."""

    effect = Effect.READ


class Trusting(ToyProvider):
    """Takes every 200 for a success."""

    def read(self, answer: Answer, batch: Sequence[PreparedMessage]) -> list[Outcome]:
        """Read nothing."""
        if answer.status == 200:
            return [accepted(prepared, self.name, message_id=None) for prepared in batch]
        return super().read(answer, batch)


class Hasty(ToyProvider):
    """Takes every error text for a refusal."""

    def check(self, answer: Answer) -> dict[str, Any]:
        """Refuse what has words."""
        body = answer.object()
        if reason := " ".join(words(body.get("error"))):
            raise RejectedError(reason, provider=self.name)
        return super().check(answer)


class Trustful(ToyProvider):
    """Takes a wall's page for the gateway's word."""

    def check(self, answer: Answer) -> dict[str, Any]:
        """Judge by the status alone."""
        if answer.status in (401, 403):
            raise RejectedError("forbidden", provider=self.name)
        return super().check(answer)


class Unbindable(ToyProvider):
    """Binds itself instead of a copy."""

    def bind(self, call: Call, /) -> Self:
        """Bind in place."""
        object.__setattr__(self, "_call", call)
        return self


class Talkative(ToyProvider):
    """Shows its token."""

    def __repr__(self) -> str:
        return f"Talkative({self.token})"


class Quoting(ToyProvider):
    """Puts its token into an error."""

    def check(self, answer: Answer) -> dict[str, Any]:
        """Tell too much."""
        try:
            return super().check(answer)
        except UnclearAnswer:
            raise RejectedError(f"refused for {self.token}", provider=self.name) from None


class Careless(ToyProvider):
    """Takes every number."""

    def _number(self, number: str) -> tuple[str, str]:
        return f"+{number}", number


class Terse(ToyProvider):
    """Leaves out the plus sign of a number that stands alone."""

    def e164(self, number: str, /) -> str:
        """Read a number as the gateway writes it."""
        return self._number(number)[1]


class Muddled(ToyProvider):
    """Gives the outcomes of a batch in another order."""

    async def submit(self, batch: Sequence[PreparedMessage], /) -> Sequence[Outcome]:
        """Mix up the outcomes."""
        return list(reversed(await super().submit(batch)))


class Forgetful(ToyProvider):
    """Does not know that a repeated delete finds nothing."""

    async def forget(self) -> None:
        """Delete without thinking of the first try."""
        call = HttpCall(
            self.gateway, "DELETE", "/kept", self.check, "forget", effect=Effect.IDEMPOTENT
        )
        await self._call(call)


class Nameless(ToyProvider):
    """Does not say what its gateway is called and can do."""

    capabilities: ClassVar[Any] = None


class Unaddressed(ToyProvider):
    """Forgets the host of its address."""

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider for its own host."""
        return cls(clean_secret(url.credential(), "token"), base_url="http://127.0.0.1:9")


class Clumsy(ToyProvider):
    """Fails at a setting that it does not know."""

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider with whatever is there."""
        settings: dict[str, Any] = {**url.params, "base_url": url.base_url("http://127.0.0.1:9")}
        return cls(url.credential(), **settings)


class Greedy(ToyProvider):
    """Takes every environment for its own."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Build the provider from nothing."""
        return cls("token", base_url="http://127.0.0.1:9")


class Boastful(ToyProvider):
    """Claims an operation that it does not have."""

    capabilities: ClassVar[Capabilities] = Capabilities(title="Toy", operations=("otp",))


class Punctual(ToyProvider):
    """Takes a schedule, drops it, and its capabilities say that it can't."""

    def prepare(self, message: Message, /, index: int = 0) -> PreparedMessage:
        """Forget the time."""
        return super().prepare(evolve(message, schedule_at=None), index)


class Impatient(ToyProvider):
    """Does not know a rate limit."""

    def check(self, answer: Answer) -> dict[str, Any]:
        """Refuse for good."""
        if answer.status == 429:
            raise RejectedError("busy", provider=self.name, http_status=429)
        return super().check(answer)


def _success(numbers: Sequence[str]) -> Reply:
    return Reply.of_json({"ids": [f"t-{number[-4:]}" for number in numbers]})


def toy_case(cls: type[ToyProvider] = ToyProvider) -> ContractCase:
    """Return the case of the toy, or of one of its broken copies."""
    return ContractCase(
        name="toy",
        make=lambda url: cls(TOKEN, base_url=url),
        numbers=PHILIPPINE[:12],
        success=_success,
        unknown_error=Reply.of_json({"error": "what?"}),
        refusal=Reply.of_json({"error": "blocked"}, 400),
        refusal_error=RejectedError,
        secrets=[TOKEN],
        reads={
            "credit": Operation(
                call=lambda provider: provider.credit(), reply=Reply.of_json({"ids": [], "n": 3})
            )
        },
        billed={
            "page": Operation(
                call=lambda provider: provider.page(), reply=Reply.of_json({"ids": []})
            )
        },
        deletes={
            "kept": Operation(
                call=lambda provider: provider.forget(), reply=Reply.of_json({"ids": []})
            )
        },
    )
