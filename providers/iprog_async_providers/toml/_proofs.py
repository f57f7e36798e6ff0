"""What answers prove, as a gateway's file says it: that a text was taken, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from attrs import Attribute, field, frozen

from iprog_async import (
    AuthenticationError,
    InsufficientCreditError,
    NotFoundError,
    ProviderError,
    RateLimitError,
    RejectedError,
)
from iprog_async.adapter import Blame, ErrorForm, Refusal, is_array, shown
from iprog_async_providers.toml._claims import claims_acceptance
from iprog_async_providers.toml._patterns import check_pattern, is_explained, words_of
from iprog_async_providers.toml._pointers import ANY, Pointer


ErrorName = Literal["authentication", "credit", "not-found", "rate-limit", "rejected"]

ERRORS: Mapping[ErrorName, type[ProviderError]] = {
    "authentication": AuthenticationError,
    "credit": InsufficientCreditError,
    "not-found": NotFoundError,
    "rate-limit": RateLimitError,
    "rejected": RejectedError,
}


@frozen
class Condition:
    """What has to be at a place in an answer: exactly one of these values.

    Args:
        pointer: The place.
        values: What it may be; a number is no text, and true is no 1.
    """

    pointer: Pointer
    values: tuple[object, ...]

    def holds(self, data: object) -> bool:
        """Return whether an answer has it."""
        found = self.pointer.find(data)
        return any(type(found) is type(value) and found == value for value in self.values)

    @classmethod
    def parse(cls, pointer: str, value: object) -> Condition:
        """Read a condition; raises `ValueError` if it makes no sense."""
        values: tuple[object, ...] = tuple(value) if is_array(value) else (value,)
        if not values or not all(isinstance(each, (str, int, float)) for each in values):
            raise ValueError(
                f"{shown(pointer)} is a text, a number, true or false, or a list of them"
            )
        return cls(Pointer.parse(pointer), values)


def _successes(_: object, attribute: Attribute[Any], statuses: tuple[int, ...]) -> None:
    if not statuses or any(not 200 <= status < 300 for status in statuses):
        raise ValueError(f"{attribute.name} is one or more HTTP statuses from 200 to 299")


@frozen(kw_only=True)
class Acceptance:
    """What proves that a text was taken: all of it. Anything less is unknown.

    Args:
        status: HTTP statuses.
        where: Values that have to be in the answer, by JSON pointer.
        id: Where the id of the text is; if it is named, it has to be there.
        cost: Where the price is, if the gateway tells it.
    """

    status: tuple[int, ...] = field(default=(200,), validator=_successes)
    where: tuple[Condition, ...] = ()
    id: Pointer | None = None
    cost: Pointer | None = None

    def __attrs_post_init__(self) -> None:
        if not self.where and self.id is None:
            raise ValueError("a status alone proves nothing: name id, or what is there by where")


def _error_places(_: object, __: object, pointers: tuple[Pointer, ...]) -> None:
    if any(ANY in pointer.tokens[:-1] for pointer in pointers):
        raise ValueError("* stands for the last key of a pointer, as in /errors/*")
    if any(token.isdecimal() for pointer in pointers for token in pointer.tokens):
        raise ValueError("lists are looked through by themselves: leave out the number")


@frozen(kw_only=True)
class Errors:
    """The exact form of the gateway's errors: an answer with anything else in it is none.

    Args:
        words: Where the words are that a refusal is known by, as JSON pointers; `*` is any key.
        where: Values at the top that make an answer an error.
        also: Where else something may be, which refusals are not known by.
    """

    words: tuple[Pointer, ...] = field(default=(), validator=_error_places)
    where: tuple[Condition, ...] = ()
    also: tuple[Pointer, ...] = field(default=(), validator=_error_places)

    def __attrs_post_init__(self) -> None:
        if any(len(condition.pointer.tokens) > 1 for condition in self.where):
            raise ValueError("where names values at the top of an error, such as /status")

    def cover(self, pointer: Pointer) -> bool:
        """Return whether what a pointer points to may be words of an error."""
        return any(each.covers(pointer) for each in self.words)

    def marks(self, data: object) -> bool:
        """Return whether an answer has what makes it an error, whatever else is in it."""
        return bool(self.where) and all(each.holds(data) for each in self.where)

    @property
    def form(self) -> ErrorForm:
        """The form, as the rule for refusals knows it."""
        mark = {condition.pointer.tokens[0]: condition.values for condition in self.where}
        words, also = _paths_of(self.words), _paths_of(self.also)
        return ErrorForm(mark, words, dict.fromkeys(also), codes=True)

    def said(self, data: object) -> list[str]:
        """Return the words in an error."""
        found = (value for pointer in self.words for value in pointer.find_all(data))
        return [text for value in found if (text := to_text(value))]


def _paths_of(pointers: Iterable[Pointer]) -> list[str]:
    # A dot in a key is no way to another path.
    return [".".join(token.replace(".", "…") for token in each.tokens) for each in pointers]


def to_text(value: object) -> str:
    """Return words, or a code, as text."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).strip()


@frozen(kw_only=True)
class Refused:
    """One refusal that the gateway is known to make before it sends anything.

    Args:
        error: What it is: one of the keys of `ERRORS`.
        status: The HTTP statuses that it comes with, below 500.
        words: The whole words, one of these; case and the last full stop do not matter.
        pattern: A regular expression for the whole words instead: three letters or digits that are
            always there at the least, and wildcards for 40 characters at the most.
        healable: Whether a later try or another gateway could succeed.
        blame: What caused it: `"account"`, `"message"` or `"recipient"`.
        evidence: Where it was seen.
    """

    error: ErrorName
    status: tuple[int, ...]
    words: tuple[str, ...] = ()
    pattern: str | None = None
    healable: bool | None = None
    blame: Blame | None = None
    evidence: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.status or any(not 200 <= status < 500 for status in self.status):
            raise ValueError(
                "status is one or more HTTP statuses below 500: a server error proves no refusal"
            )
        if self.words and self.pattern is not None:
            raise ValueError("give words or a pattern, not both")
        if self.pattern is not None:
            check_pattern(self.pattern)
        elif not self.words or not all(any(map(str.isalnum, each)) for each in self.words):
            raise ValueError("give words, or a pattern: a status alone proves no refusal")
        own = self.words if self.pattern is None else words_of(self.pattern)
        if any(map(claims_acceptance, own)):
            raise ValueError(
                "words or pattern say that a text was taken, as no refusal does: leave the row "
                "out, and such a text is unknown"
            )

    def is_said(self, text: str) -> bool:
        """Return whether a text is that of the refusal, whatever it comes with."""
        return self.row.matches(self.status[0], [text])

    def explains(self, texts: Iterable[str]) -> bool:
        """Return whether texts that the row matches say nothing that is not in the file."""
        pattern = self.pattern
        return pattern is None or all(is_explained(pattern, text.strip()) for text in texts)

    @property
    def row(self) -> Refusal:
        """The refusal, as the rule for refusals knows it."""
        words = (rf"{re.escape(each.strip(' .'))}\.?" for each in self.words)
        return Refusal(
            ERRORS[self.error],
            self.pattern or "|".join(words),
            self.status,
            healable=self.healable,
            blame=self.blame,
            evidence=self.evidence,
        )
