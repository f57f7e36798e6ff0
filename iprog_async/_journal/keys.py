"""Keys of messages: which ones a journal can keep, and which are taken in this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Set
from typing import Any

from iprog_async._core.errors import ConfigurationError, InvalidMessageError, JournalError


def check_key(key: object) -> str:
    """Return a message's key; raise `InvalidMessageError` if it is no text that can be stored.

    SQLite would store a number as text, and then not find it again.
    """
    if not isinstance(key, str):
        raise InvalidMessageError(f"the key {key!r} of a message is no text")
    try:
        key.encode()
    except UnicodeEncodeError:
        raise InvalidMessageError(f"the key {key!r} of a message has half a character") from None
    if "\0" in key:
        # PostgreSQL has no such character, and a key has to be the same in every journal.
        raise InvalidMessageError(f"the key {key!r} of a message has the character 0")
    return key


def is_key(key: object) -> bool:
    """Return whether a journal can keep a key; it has no other."""
    try:
        check_key(key)
    except InvalidMessageError:
        return False
    return True


def contended(number: str) -> JournalError:
    """Return what is raised where others took the text and gave it back all the time."""
    error = JournalError(
        f"others claimed and gave back the text for {number} again and again; "
        "this one was not sent: try again"
    )
    error.blame, error.healable = "message", True
    return error


def without_journal() -> ConfigurationError:
    """Return what is told of a text with a key whose sender has no journal."""
    return ConfigurationError(
        "key= keeps a text from going out twice only with a journal on the client, such "
        'as SmsClient(…, journal=Journal.open("texts.db")). Nothing was sent'
    )


def busy(number: str, key: str) -> JournalError:
    """Return what is told of a text that somebody else in this process is at."""
    error = JournalError(
        f"the text for {number} with the key {key!r} is on its way through this journal already; "
        "this one was not sent"
    )
    # It is this message's trouble only, and it passes.
    error.blame, error.healable = "message", True
    return error


class KeyHolder:
    """Somebody who is sending messages with keys, on the running event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        """Where it goes on; once that is closed, it does not."""


class KeysUnderWay(Set[tuple[str, str]]):
    """Number and key of what is being sent, each for as long as the event loop of its sender lives.

    Where a loop is closed with a send in it, nothing of that goes on, and nothing ends it. What
    became of it is what the journal has of it: a claim that was left, if it may be out. Somebody
    else may have its key by the time that the garbage collector ends it: only who has a key lets
    go of it.
    """

    def __init__(self) -> None:
        # By number and key; it may be asked about anything.
        self._holders: dict[Any, KeyHolder] = {}
        # Two event loops, each in its thread, may ask at the same moment; and within any line the
        # garbage collector may end a sender, which lets go.
        self._lock = threading.RLock()

    def __contains__(self, identity: object) -> bool:
        holder = self._holders.get(identity)
        return holder is not None and not holder.loop.is_closed()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        # Another thread may be at it.
        return (identity for identity in list(self._holders) if identity in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def take(self, identity: tuple[str, str], holder: KeyHolder) -> bool:
        """Note who is sending a message from now on; `False` if somebody is sending it."""
        with self._lock:
            if identity in self:
                return False
            self._holders[identity] = holder
        return True

    def let_go(self, identity: tuple[str, str], holder: KeyHolder) -> None:
        """Note that this one is not sending a message any more, whoever is."""
        with self._lock:
            if self._holders.get(identity) is holder:
                del self._holders[identity]

    def forget_closed(self, identity: tuple[str, str]) -> None:
        """Let go of a message whose sender's event loop is closed."""
        with self._lock:
            if identity not in self:
                self._holders.pop(identity, None)
