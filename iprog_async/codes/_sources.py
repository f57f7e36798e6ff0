"""Who makes a code and checks it: this process, or the gateway."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from iprog_async._client.client import SmsClient
from iprog_async._core.errors import UnsupportedError
from iprog_async._core.receipts import Receipt
from iprog_async._core.sealed import Secret
from iprog_async.codes._making import hash_code, is_code, make_code
from iprog_async.codes._slots import LiveCode, Rules


_ID_BYTES = 9


class CodeSource(Protocol):
    """Makes codes, has them texted, and checks them."""

    async def make(self) -> tuple[LiveCode, Secret]:
        """Return a code as it is kept, and itself, empty if the gateway makes it."""
        ...

    async def send(self, to: str, code: Secret, expires: datetime) -> Receipt | None:
        """Have a code texted before it expires; errors are those of `SmsClient.send`."""
        ...

    async def check(self, to: str, typed: Secret, live: LiveCode | None) -> bool:
        """Return whether this is the code."""
        ...


class OwnCodes:
    """Codes that this process makes, and any gateway sends.

    Args:
        sms: Sends the texts.
        text: What the phone shows.
        length: Number of digits.
        rules: What codes are held to.
    """

    def __init__(self, sms: SmsClient[Any], text: str, length: int, rules: Rules) -> None:
        self._sms = sms
        self._text = text.replace("{minutes}", minutes_of(rules))
        self._length = length

    async def make(self) -> tuple[LiveCode, Secret]:
        """Return a code as it is kept, and itself."""
        code = make_code(self._length)
        salt, digest = await hash_code(code)
        return LiveCode(secrets.token_urlsafe(_ID_BYTES), salt, digest), code

    async def send(self, to: str, code: Secret, expires: datetime) -> Receipt | None:
        """Have a code texted, as long as it is of use."""
        text = Secret(self._text.replace("{code}", code))
        return await self._sms.send(to, text, not_after=expires)

    async def check(self, to: str, typed: Secret, live: LiveCode | None) -> bool:
        """Return whether this is the code; without one it takes the same time."""
        if live is None:
            return await is_code(typed, b"", b"")
        return await is_code(typed, live.salt, live.digest)


class OneTimePasswords(Protocol):
    """The operations of a gateway that makes codes itself."""

    async def send(
        self, to: str, *, template: str, code_length: int, expires_in_minutes: int
    ) -> object:
        """Have a code made and texted; `:otp` in the template is where it goes."""
        ...

    async def verify(self, to: str, code: str) -> object:
        """Check a code; what it returns is true if it is the right one."""
        ...


@runtime_checkable
class HasOneTimePasswords(Protocol):
    """A provider of such a gateway."""

    @property
    def otp(self) -> OneTimePasswords:
        """The operations."""
        ...


class GatewayCodes:
    """Codes that the gateway makes, sends and checks; arguments are those of `OwnCodes`.

    Raises:
        UnsupportedError: It makes none.
    """

    def __init__(self, sms: SmsClient[Any], text: str, length: int, rules: Rules) -> None:
        provider: object = sms.provider
        if not isinstance(provider, HasOneTimePasswords):
            raise UnsupportedError(
                f"{sms.provider.name} makes no codes itself: leave out made_by='gateway', and this "
                "process makes them"
            )
        self._otp = provider.otp
        self._template = text.replace("{minutes}", minutes_of(rules)).replace("{code}", ":otp")
        self._length = length
        self._minutes = round(rules.lifetime / 60)

    async def make(self) -> tuple[LiveCode, Secret]:
        """Return what is kept of a code that the gateway has still to make."""
        return LiveCode(secrets.token_urlsafe(_ID_BYTES)), Secret("")

    async def send(self, to: str, code: Secret, expires: datetime) -> Receipt | None:
        """Have a code made and texted: it is valid from then on."""
        await self._otp.send(
            to,
            template=self._template,
            code_length=self._length,
            expires_in_minutes=self._minutes,
        )
        return None

    async def check(self, to: str, typed: Secret, live: LiveCode | None) -> bool:
        """Return whether the gateway says that this is the code."""
        return live is not None and bool(await self._otp.verify(to, typed))


def minutes_of(rules: Rules) -> str:
    """Return for how many minutes a code is valid, as a text says it."""
    return f"{max(1, int(rules.lifetime // 60))}"
