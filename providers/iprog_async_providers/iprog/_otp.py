"""IPROG's one-time passwords."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from iprog_async import InvalidMessageError, NoAnswerError, OutcomeUnknownError, ProviderError
from iprog_async.adapter import (
    Answer,
    Effect,
    Message,
    Secret,
    UnclearAnswer,
    check_text,
    one_line,
    words,
)
from iprog_async_providers.iprog import _answers
from iprog_async_providers.iprog._api import Wire, to_wire_number
from iprog_async_providers.iprog._otp_answers import (
    OtpCheck,
    OtpTicket,
    read_list,
    read_ticket,
    without_codes,
)


T = TypeVar("T")


class Otp:
    """Makes, sends, checks and lists one-time passwords."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def send(
        self,
        to: str,
        *,
        template: str | None = None,
        code_length: int | None = None,
        expires_in_minutes: int | None = None,
    ) -> OtpTicket:
        """Have a code made and texted; it is billed, so it is never repeated by itself.

        Args:
            to: Phone number as people write it.
            template: What the phone shows, with `:otp` where the code goes; IPROG's own words
                if `None`.
            code_length: Number of digits, 6 if `None`. The pages give no bounds; ours are 4
                to 10.
            expires_in_minutes: 1 to 60, 5 if `None`; known from clients, not from the pages.

        Returns:
            The code and until when it is valid: the gateway tells it to the caller too.

        Raises:
            InvalidMessageError: An argument makes no sense; nothing was sent.
            ConnectionFailedError: The gateway can't be reached; the request did not leave.
            OutcomeUnknownError: A code may have been sent.
            ProviderError: The gateway refused; nothing was sent.
        """
        body: dict[str, object] = {"phone_number": to_wire_number(to)[1]}
        if template is not None:
            check_text(Message(to, template))
            if ":otp" not in template:
                raise InvalidMessageError(f"the template {template!r} has no :otp for the code")
            body["message"] = template
        if code_length is not None:
            body["code_length"] = _within("code_length", code_length, 4, 10)
        if expires_in_minutes is not None:
            body["expires_in_minutes"] = _within("expires_in_minutes", expires_in_minutes, 1, 60)
        return await self._wire.write(
            "POST",
            "/api/v1/otp/send_otp",
            self._reader(read_ticket),
            "send the code",
            body,
            confidential=True,
        )

    async def verify(self, to: str, code: str) -> OtpCheck:
        """Check the code that a person typed; not repeated by itself, tries may be counted.

        Returns:
            A check that is true only if the gateway says so; a wrong or expired code is no
            error.

        Raises:
            InvalidMessageError: The number is none, or the code is empty or no plain text.
            AuthenticationError: The gateway does not accept the token.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer: whether the code is right is not known.
            ProviderError: The gateway refused to tell.
        """
        is_text = isinstance(code, str)
        code = Secret(code)
        if not is_text or not code.strip() or not code.isascii():
            raise InvalidMessageError("the code is empty or has characters that no code has")
        code = Secret(code.strip())
        body = {"phone_number": to_wire_number(to)[1], "otp": code}
        try:
            return await self._wire.write(
                "POST",
                "/api/v1/otp/verify_otp",
                self._read_check,
                "verify the code",
                body,
                secrets=(code,),
                confidential=True,
            )
        except OutcomeUnknownError as exc:
            reason = exc.reason
        # Verifying sends no text, so nothing may have been sent.
        raise NoAnswerError(f"{self._wire.gateway.name}: could not verify the code: {reason}")

    async def list(self, *, method: Literal["GET", "POST"] = "GET") -> list[OtpTicket]:
        """List the account's codes.

        Args:
            method: The vendor's page names both verbs; GET is in its example.

        Raises:
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        path, read, what = "/api/v1/otp", self._reader(read_list), "list the codes"
        if method == "GET":
            return await self._wire.read(path, read, what, confidential=True)
        return await self._wire.write(
            "POST", path, read, what, {}, effect=Effect.READ, confidential=True
        )

    def _reader(self, read: Callable[[_answers.Envelope], T]) -> Callable[[Answer], T]:
        """Return a function that reads a value with a code; its errors quote none."""

        def check_and_read(answer: Answer) -> T:
            self._wire.check(without_codes(answer))
            return read(answer.object())

        return check_and_read

    def _read_check(self, answer: Answer) -> OtpCheck:
        """Read an error envelope as "not verified", unless it is about the account.

        What a wrong code is answered with was never observed (INFER).
        """
        answer = without_codes(answer)
        said = _answers.error_words(answer)
        try:
            body = self._wire.check(answer)
        except (ProviderError, UnclearAnswer) as exc:
            if said is None or (isinstance(exc, ProviderError) and exc.blame == "account"):
                raise
            return OtpCheck(verified=False, message=one_line(said))
        return OtpCheck(verified=True, message=one_line(" ".join(words(body.get("message")))))


def _within(name: str, value: int, least: int, most: int) -> int:
    given: object = value
    if type(given) is not int or not least <= given <= most:
        raise InvalidMessageError(f"{name} is {least} to {most}, not {value!r}")
    return value
