"""One-time codes for synchronous code."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Literal

from iprog_async import codes as asynchronous
from iprog_async._core.checks import Synchronous
from iprog_async._core.rates import Rate
from iprog_async._core.sealed import Secret
from iprog_async.codes import CodeCheck, CodeSent
from iprog_async.sync._calls import call
from iprog_async.sync._client import SmsClient
from iprog_async.sync._open_client import OpenClient


class Codes(Synchronous):
    """Sends one-time codes, and checks them: `iprog_async.codes.Codes`, waited for.

    Any number of threads may use one. The codes are kept beside the journal of the client, so that
    all processes know them; without one, each process knows only its own.

    Args:
        sms: Sends the texts.
        text: What the phone shows, with `{code}`, and `{minutes}` for how long it is valid.
        length: Number of digits, 4 to 10.
        lifetime: Seconds for which a code is valid; 60 or more.
        tries: How often a code may be guessed at.
        cooldown: Seconds before the same number is sent another code for the same purpose.
        per_number: The most codes to a number and purpose in any window, such as `"10/24h"`.
        made_by: `"gateway"`: the gateway makes and checks the codes, where it can.

    Raises:
        ConfigurationError: An argument makes no sense.
        UnsupportedError: The gateway makes no codes.
        JournalError: The client's journal can't be opened.
    """

    def __init__(
        self,
        sms: SmsClient[Any],
        *,
        text: str = "{code} is your code. It is valid for {minutes} minutes.",
        length: int = 6,
        lifetime: float = 300.0,
        tries: int = 5,
        cooldown: float = 60.0,
        per_number: Rate | str = "10/24h",
        made_by: Literal["us", "gateway"] = "us",
    ) -> None:
        self._sms = sms
        self._make: Callable[[OpenClient[Any]], asynchronous.Codes] = lambda here: (
            asynchronous.Codes(
                here.client,
                text=text,
                length=length,
                lifetime=lifetime,
                tries=tries,
                cooldown=cooldown,
                per_number=per_number,
                made_by=made_by,
            )
        )
        self._made: weakref.WeakKeyDictionary[OpenClient[Any], asynchronous.Codes] = (
            weakref.WeakKeyDictionary()
        )
        # What is wrong is to be known now, and not with the first code.
        self._there()

    def send(self, to: str, *, purpose: str = "login") -> CodeSent:
        """Send a number its next code; see `iprog_async.codes.Codes.send`.

        Args:
            to: Phone number as people write it.
            purpose: What it is for: a code for one purpose is none for another.

        Raises:
            WrongLoopError: An event loop runs in this thread; not sent.
            LimitExceededError: The number was sent a code a moment ago, or too many; not sent.
            JournalError: The codes can't be kept; not sent.
            SmsError: It was certainly not sent, as `SmsClient.send` says; an earlier code is
                valid still.
        """
        here, codes = self._there()
        return call(here.thread, codes.send(to, purpose=purpose))

    def verify(self, to: str, code: str, *, purpose: str = "login") -> CodeCheck:
        """Check what somebody typed; the right code lets in once.

        Args:
            to: Phone number as people write it.
            code: What was typed.
            purpose: What the code is for.

        Raises:
            WrongLoopError: An event loop runs in this thread.
            InvalidMessageError: The number is none.
            JournalError: The codes can't be read: whether it is the right one is not known.
            ConnectionFailedError: The gateway that checks them can't be reached.
            NoAnswerError: The gateway that checks them gave no trustworthy answer.
            ProviderError: The gateway that checks them refused to.
        """
        code = Secret(code)
        here, codes = self._there()
        return call(here.thread, codes.verify(to, code, purpose=purpose))

    def _there(self) -> tuple[OpenClient[Any], asynchronous.Codes]:
        """Return the codes as this process has them: a fork begins anew, with its own client."""
        here = self._sms.here()
        made = self._made.get(here)
        if made is None:
            # One step: of two threads that come first, both have the same one.
            made = self._made.setdefault(here, self._make(here))
        return here, made
