"""IPROG's one-time passwords."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from iprog_async import InvalidMessageError, NoAnswerError, OutcomeUnknownError, ProviderError
from iprog_async.adapter import Answer, Effect, UnclearAnswer, structure, words
from iprog_async_providers.iprog import _answers
from iprog_async_providers.iprog._reminders import MANILA


if TYPE_CHECKING:
    from iprog_async_providers.iprog._provider import IprogProvider


@frozen
class OtpTicket:
    """A one-time password that IPROG made and sent.

    Args:
        phone_number: Recipient, as the gateway writes it.
        code: The password itself; not in the repr.
        expires_at: Until when it is valid, as an aware `datetime`.
        confirmed: Whether it was verified.
    """

    phone_number: str
    code: str = field(repr=False)
    expires_at: datetime
    confirmed: bool = False


@frozen
class OtpCheck:
    """Whether a code was the right one.

    Args:
        verified: Whether it was.
        message: The gateway's words.
    """

    verified: bool
    message: str = ""

    def __bool__(self) -> bool:
        return self.verified


class Otp:
    """Makes, sends, checks and lists one-time passwords."""

    def __init__(self, provider: IprogProvider) -> None:
        self._provider = provider

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
            code_length: Number of digits, 6 if `None`.
            expires_in_minutes: 1 to 60, 5 if `None`; known from clients, not from the pages.

        Raises:
            InvalidMessageError: An argument makes no sense; nothing was sent.
            OutcomeUnknownError: A code may have been sent.
            ProviderError: The gateway refused; nothing was sent.
        """
        _, number = self._provider.number(to)
        body: dict[str, object] = {"phone_number": number}
        if template is not None:
            if ":otp" not in template:
                raise InvalidMessageError(f"the template {template!r} has no :otp for the code")
            body["message"] = template
        if code_length is not None:
            if not 4 <= code_length <= 10:
                raise InvalidMessageError(f"code_length is 4 to 10, not {code_length}")
            body["code_length"] = code_length
        if expires_in_minutes is not None:
            if not 1 <= expires_in_minutes <= 60:
                raise InvalidMessageError(
                    f"expires_in_minutes is 1 to 60, not {expires_in_minutes}"
                )
            body["expires_in_minutes"] = expires_in_minutes
        return await self._provider.write(
            "POST",
            "/api/v1/otp/send_otp",
            self._provider.reader(_read_ticket),
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
            InvalidMessageError: The number or code is empty or malformed.
            AuthenticationError: The gateway does not accept the token.
            NoAnswerError: No trustworthy answer: whether the code is right is not known.
        """
        _, number = self._provider.number(to)
        if not code.strip():
            raise InvalidMessageError("the code is empty")
        body = {"phone_number": number, "otp": code.strip()}
        try:
            return await self._provider.write(
                "POST",
                "/api/v1/otp/verify_otp",
                self._read_check,
                "verify the code",
                body,
                secrets=(code.strip(),),
                confidential=True,
            )
        except OutcomeUnknownError as exc:
            reason = exc.reason
        # Verifying sends no text, so nothing may have been sent.
        raise NoAnswerError(f"{self._provider.name}: could not verify the code: {reason}")

    async def list(self, *, method: Literal["GET", "POST"] = "GET") -> list[OtpTicket]:
        """List the account's codes.

        Args:
            method: The vendor's page names both verbs; GET is in its example.

        Raises:
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        if method == "GET":
            return await self._provider.read(
                "/api/v1/otp",
                self._provider.reader(_read_list),
                "list the codes",
                confidential=True,
            )
        return await self._provider.write(
            "POST",
            "/api/v1/otp",
            self._provider.reader(_read_list),
            "list the codes",
            {},
            effect=Effect.READ,
            confidential=True,
        )

    def _read_check(self, answer: Answer) -> OtpCheck:
        """Read an error envelope as "not verified", unless it is about the account.

        What a wrong code is answered with was never observed (INFER).
        """
        provider = self._provider
        try:
            body = _answers.check(answer, provider.name, provider.refusals)
        except ProviderError as exc:
            if exc.blame == "account":
                raise
            return OtpCheck(verified=False, message=exc.reason)
        except UnclearAnswer:
            reason = _answers.error_words(answer)
            if reason is None:
                raise
            return OtpCheck(verified=False, message=reason)
        return OtpCheck(verified=True, message=" ".join(words(body.get("message"))))


@frozen
class _Ticket:
    """The `data` of `send_otp`: the code itself is in the answer."""

    otp_code: str
    otp_code_expires_at: str
    phone_number: str
    otp_code_confirmed: bool = False


@frozen
class _TicketAnswer:
    data: _Ticket


@frozen
class _Listed:
    phone_number: str
    otp_code: str
    expired_at: str


@frozen
class _ListAnswer:
    data: list[_Listed]


def _read_ticket(body: dict[str, Any]) -> OtpTicket:
    data = structure(body, _TicketAnswer).data
    return OtpTicket(
        data.phone_number,
        data.otp_code,
        _time(data.otp_code_expires_at),
        data.otp_code_confirmed,
    )


def _read_list(body: dict[str, Any]) -> list[OtpTicket]:
    listed = structure(body, _ListAnswer).data
    return [OtpTicket(item.phone_number, item.otp_code, _time(item.expired_at)) for item in listed]


# In English whatever the locale says.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_LISTED_TIME = re.compile(r"(\w+) (\d{1,2}), (\d{4}),? at (\d{1,2}):(\d\d) ([AP])M", re.ASCII)


def _time(text: str) -> datetime:
    """Read an ISO time, or the list's `March 03, 2025, at 08:04 PM` in Manila (INFER)."""
    match = _LISTED_TIME.fullmatch(text.strip())
    try:
        if match is None:
            when = datetime.fromisoformat(text)
        else:
            month, day, year, hour, minute, half = match.groups()
            hours = int(hour) % 12 + (12 if half == "P" else 0)
            when = datetime(
                int(year), _MONTHS.index(month) + 1, int(day), hours, int(minute), tzinfo=MANILA
            )
    except ValueError:
        raise UnclearAnswer("the code's time of expiry can't be read") from None
    return when if when.tzinfo is not None else when.replace(tzinfo=MANILA)
