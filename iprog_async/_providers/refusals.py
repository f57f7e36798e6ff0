"""What proves that a gateway refused, and certainly sent nothing.

A refusal is a proof, or it is nothing: what is taken for one is sent again. So on a call that must
not be made twice a row of a table applies only

1. with the HTTP statuses that it was seen with, never 5xx, and no redirection unless it names it;
2. in the exact error envelope of the gateway;
3. to a text that it matches as a whole, since a longer one may quote the message;
4. where nothing in the answer says that something was taken (`_http/acceptance.py`);
5. for requests to many, if it is a check of the whole request before its first text.

Everything else is unknown. Calls that send nothing and may be repeated (`Answer.once` is false)
have no such proof to give: there a row applies by words found anywhere in the text, or by its
status if it has none, and a status may be judged alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from iprog_async._core.errors import (
    AuthenticationError,
    Blame,
    ConfigurationError,
    CredentialsOrCreditError,
    NotFoundError,
    ProviderError,
    RateLimitError,
    RejectedError,
)
from iprog_async._core.json_types import is_array, is_object
from iprog_async._core.redaction import mask_keys, one_line
from iprog_async._http.acceptance import says_unsure, signs_of_acceptance
from iprog_async._http.bare_status import data_says_no_more
from iprog_async._http.calls import NOT_JSON, Answer, UnclearAnswer
from iprog_async._http.retry_after import retry_after


def _pattern(text: str | re.Pattern[str] | None) -> re.Pattern[str] | None:
    return re.compile(text, re.IGNORECASE) if isinstance(text, str) else text


def _statuses(statuses: Iterable[int]) -> frozenset[int]:
    return frozenset(statuses)


_ANY_STATUS: frozenset[int] = frozenset()


def _check_statuses(_: object, __: object, statuses: frozenset[int]) -> None:
    if wrong := sorted(status for status in statuses if status >= 500):
        raise ConfigurationError(
            f"HTTP {wrong[0]} proves no refusal: a server error may come after the text was sent. "
            "Name other statuses"
        )


@frozen
class Refusal:
    """One row: an answer of this status and text was refused before anything was sent.

    A server error (5xx) is never one: it may come after the text has gone out.

    Args:
        error: The class to raise.
        text: Regular expression that matches the gateway's words as a whole, ignoring case and
            white space around them; any words if `None`, as long as none of them speaks of
            something as sent or accepted. Keep wildcards short, and not `.*`: what they match
            may be a sentence that says the opposite.
        status: HTTP statuses it comes with; any below 500 but redirections if empty.
        healable: Whether a later try or another gateway could succeed; the class's default
            if `None`.
        blame: What caused it; the class's default if `None`.
        whole_request: Whether the server checks it for the whole request, before its first
            text. Only then does it refuse a request to many; else such an answer is unknown.
        evidence: Where it was seen: `LOG`, `SRC` or `DOC`, and the place.
        versions: The versions of the server's software that it was read in, if it has any.

    Raises:
        ConfigurationError: It names a server error.
    """

    error: type[ProviderError]
    text: re.Pattern[str] | None = field(default=None, converter=_pattern)
    status: frozenset[int] = field(
        default=_ANY_STATUS, converter=_statuses, validator=_check_statuses
    )
    healable: bool | None = None
    blame: Blame | None = None
    whole_request: bool = field(default=False, kw_only=True)
    evidence: str = field(default="", kw_only=True)
    versions: str = field(default="", kw_only=True)

    def matches(self, status: int, texts: Sequence[str]) -> bool:
        """Return whether status and words are of this row, word for word."""
        if status not in self.status if self.status else not _may_refuse(status):
            return False
        pattern = self.text
        if pattern is None:
            return True
        return bool(texts) and all(pattern.fullmatch(text) is not None for text in texts)

    def resembles(self, status: int, text: str) -> bool:
        """Return whether an answer that need not prove anything is of this row."""
        if self.text is None:
            return not self.status or status in self.status
        return status < 500 and self.text.search(text[:_MOST_SEARCHED]) is not None


# A row that is made for the whole of a text may look at it anew from each of its characters.
_MOST_SEARCHED = 1_000


def _may_refuse(status: int) -> bool:
    return 200 <= status < 300 or 400 <= status < 500


def _mark(mark: Mapping[str, Iterable[object]]) -> tuple[tuple[str, tuple[object, ...]], ...]:
    return tuple((key, tuple(values)) for key, values in mark.items())


def _paths(paths: Iterable[str]) -> frozenset[str]:
    return frozenset(paths)


_Beside = tuple[tuple[str, tuple[object, ...] | None], ...]


def _beside(beside: Mapping[str, Iterable[object] | None] | _Beside) -> _Beside:
    pairs = beside.items() if isinstance(beside, Mapping) else beside
    return tuple((path, None if values is None else tuple(values)) for path, values in pairs)


@frozen
class ErrorForm:
    """The exact form of a gateway's errors; an answer with anything else in it is none.

    Args:
        mark: Keys and the values that make an answer an error: `{"status": ["error"]}`.
        words: Where its words are, as paths: `"message"`, `"data.errors"`, or `"errors.*"` for any
            name. A list has the path of what it holds; a list in a list has none. What is empty,
            such as `null`, may stand anywhere. Everything that stands there is text, and a row
            has to match each.
        beside: What else may hold a value, and which: `{"data.passed": [False]}`; any value
            but words about what comes after a dispatch with `None`.
        codes: Whether numbers may stand where words do, such as `102`; a row has to match them.
    """

    mark: tuple[tuple[str, tuple[object, ...]], ...] = field(converter=_mark)
    words: frozenset[str] = field(converter=_paths)
    beside: _Beside = field(default=(), converter=_beside)
    codes: bool = field(default=False, kw_only=True)

    def holds(self, body: object) -> bool:
        """Return whether parsed JSON is such an error, and nothing more."""
        return self.texts(body) is not None

    def texts(self, body: object) -> list[str] | None:
        """Return all words of such an error; `None` if parsed JSON is something else, or more."""
        if not is_object(body):
            return None
        if not all(_is_one_of(body.get(key), values) for key, values in self.mark):
            return None
        marks = {key for key, _ in self.mark}
        texts: list[str] = []
        for path, value in _filled(body):
            if path in marks or self._may_be(path, value):
                continue
            if not self._has_words(path) or not self._is_text(value):
                return None
            texts.append(str(value))
        return texts

    def _may_be(self, path: str, value: object) -> bool:
        return any(
            _is_at(known, path)
            and (_is_harmless(value) if values is None else _is_one_of(value, values))
            for known, values in self.beside
        )

    def _has_words(self, path: str) -> bool:
        return any(_is_at(known, path) for known in self.words)

    def _is_text(self, value: object) -> bool:
        return isinstance(value, str) or (self.codes and type(value) is int)


def _is_at(known: str, path: str) -> bool:
    return path == known or f"{path.rpartition('.')[0]}.*" == known


def _is_harmless(value: object) -> bool:
    return not (isinstance(value, str) and says_unsure(value))


def _is_one_of(value: object, values: Iterable[object]) -> bool:
    # True is no 1 here.
    return any(type(value) is type(known) and value == known for known in values)


def _filled(body: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Return all values that are there, with their paths; "…" is a path that fits nothing."""
    waiting: list[tuple[str, object, int]] = [("", body, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if depth > _DEEPEST:
            yield "…", value
        elif is_object(value):
            # A dot in a key is no way to another path.
            start = f"{path}." if path else ""
            waiting += [
                (start + str(key).replace(".", "…"), inner, depth + 1)
                for key, inner in reversed(value.items())
            ]
        elif is_array(value):
            waiting += [
                ("…" if is_array(inner) else path, inner, depth + 1) for inner in reversed(value)
            ]
        elif value is not None and not (isinstance(value, str) and not value.strip()):
            yield path, value


_DEEPEST = 10

# What a status proves where the body says nothing: no request of this kind reaches the code that
# sends. A page can come from a wall in front of the gateway that read its answer, so a 401 or 403
# around one is none of them; nor is a redirection that means "done, look there" (302, 303, 304).
_BARE = (
    Refusal(NotFoundError, status=(404,), blame="account", whole_request=True),
    Refusal(RejectedError, status=(405,), blame="account", whole_request=True),
    Refusal(RejectedError, status=(413,), whole_request=True),
    Refusal(RejectedError, status=(301, 307, 308), blame="account", whole_request=True),
)
# Asking for credentials is the first thing a server does, and no wall does it without a word.
_BLANK = (Refusal(AuthenticationError, status=(401,), whole_request=True), *_BARE)
_BARE_OF_READS = (
    Refusal(AuthenticationError, status=(401, 403)),
    *_BARE,
    Refusal(RejectedError, status=range(300, 400), blame="account"),
)
# A limit on requests is kept in front of all that works on them.
_LIMITED = (Refusal(RateLimitError, status=(429,), whole_request=True),)

_ADVICE: dict[type[ProviderError], str] = {
    CredentialsOrCreditError: "check the credentials and the credit",
    AuthenticationError: "check the credentials",
    NotFoundError: "check the id, and the base_url",
}


def refuse(
    answer: Answer,
    table: Iterable[Refusal],
    *,
    provider: str,
    reason: str = "",
    code: str | None = None,
    texts: Sequence[str] | None = None,
    form: ErrorForm | None = None,
    whom: str = "",
) -> None:
    """Raise the `ProviderError` that the table gives for an answer; return if it proves none.

    Args:
        answer: What came back.
        table: The adapter's rows, the first match wins.
        provider: Name of the provider, for the error.
        reason: The gateway's words, taken from the body, for the error.
        code: The gateway's own code, taken from the body.
        texts: What a row has to match where there is no form, each by itself; `reason` if `None`.
        form: The exact form of the gateway's errors, each of whose words a row has to match;
            without one, any body may be a refusal.
        whom: Whom of several it is about, for the error.
    """
    if not answer.once:
        for row in table:
            if row.resembles(answer.status, reason):
                raise _error(row, answer, provider, reason, code)
        return
    if form is not None:
        texts = form.texts(answer.data)
        if texts is None:
            return
    if answer.status >= 500:
        return
    texts = [text.strip() for text in ([reason] if texts is None else texts) if text.strip()]
    for row in table:
        if answer.recipients > 1 and not row.whole_request:
            continue
        if row.matches(answer.status, texts) and not _is_taken(answer, row, texts, form):
            raise _error(row, answer, provider, reason, code, whom)


def _is_taken(answer: Answer, row: Refusal, texts: Sequence[str], form: ErrorForm | None) -> bool:
    """Return whether anything in an answer but the row's words and the mark says it was taken."""
    explained = texts if row.text is not None else ()
    body = None if answer.data is NOT_JSON else answer.data
    if form is not None and is_object(body):
        # What marks an error may be a 1, or true.
        marks = {key for key, _ in form.mark}
        body = {key: value for key, value in body.items() if key not in marks}
    signs = signs_of_acceptance(
        body, explained=explained, headers=answer.headers, status=answer.status
    )
    return answer.says_taken or bool(signs)


def give_up(answer: Answer, *, provider: str, reason: str = "", bare: bool = True) -> UnclearAnswer:
    """Return what an answer means that no table of the adapter explains.

    Args:
        answer: What came back.
        provider: Name of the provider, for the error.
        reason: The gateway's words, if it had any.
        bare: Whether the status may be judged alone, because the body says nothing. For a send it
            is not, whatever this says, where the body has any words but those of the status.

    Returns:
        The `UnclearAnswer` to raise.

    Raises:
        RateLimitError: The status is 429, and nothing beside it but sentences about a limit, and
            how long to wait.
        ProviderError: `bare`, and the status alone is a certain refusal: 404, 405 and 413, a
            redirection to another address (301, 307, 308), and a 401 without any body.
    """
    shown = reason or answer.excerpt
    if not answer.once or _says_no_more(answer):
        refuse(answer, _LIMITED, provider=provider, reason=reason)
        if bare:
            table = (_BLANK if answer.blank else _BARE) if answer.once else _BARE_OF_READS
            refuse(answer, table, provider=provider, reason=shown)
    moved = f" to {answer.moved_to}" if answer.moved_to else ""
    return UnclearAnswer(f"HTTP {answer.status}{moved}: {one_line(shown)!r}")


def refuse_or_give_up(
    answer: Answer,
    table: Iterable[Refusal],
    *,
    provider: str,
    reason: str = "",
    code: str | None = None,
    texts: Sequence[str] | None = None,
    form: ErrorForm | None = None,
    bare: bool | None = None,
) -> UnclearAnswer:
    """Raise the refusal that the answer proves, else return `UnclearAnswer`.

    This is how most adapters end the reading of an answer that is no success: `refuse`, and then
    `give_up`, where the arguments are explained.

    Args:
        answer: What came back.
        table: The adapter's rows.
        provider: Name of the provider.
        reason: The gateway's words.
        code: The gateway's code.
        texts: What a row has to match where there is no form.
        form: The exact form of the gateway's errors.
        bare: Whether the status may be judged alone; if `None`, where there is no `reason`.

    Returns:
        The `UnclearAnswer` to raise: a send that ends so is unknown.

    Raises:
        ProviderError: It was refused, and certainly not sent.
    """
    refuse(answer, table, provider=provider, reason=reason, code=code, texts=texts, form=form)
    return give_up(
        answer, provider=provider, reason=reason, bare=not reason if bare is None else bare
    )


def _says_no_more(answer: Answer) -> bool:
    """Return whether an answer says no more than its status does by itself."""
    if answer.data is NOT_JSON:
        return answer.blank or answer.says_no_more
    return data_says_no_more(answer.data, answer.status, answer.recipients)


def _error(
    row: Refusal, answer: Answer, provider: str, reason: str, code: str | None, whom: str = ""
) -> ProviderError:
    reason = one_line(reason)
    hint = next((text for cls, text in _ADVICE.items() if issubclass(row.error, cls)), "")
    if 300 <= answer.status < 400:
        where = f"; the new address is on {answer.moved_to}" if answer.moved_to else ""
        hint = f"redirects are never followed{where}; check the base_url"
    words = reason.rstrip(".") or "no reason given"
    message = f"{provider} refused (HTTP {answer.status}): {words}"
    if whom:
        message = f"{provider} refused {whom}: {reason or words}"
    elif hint:
        message = f"{message}; {hint}"
    details: dict[str, Any] = {
        "provider": provider,
        "http_status": answer.status,
        "code": code,
        "reason": reason,
        "raw": mask_keys(answer.data),
        "healable": row.healable,
        "blame": row.blame,
    }
    if issubclass(row.error, RateLimitError):
        return row.error(message, retry_after=retry_after(answer.headers), **details)
    return row.error(message, **details)
