"""Keeping tokens, passwords, keys and codes out of everything a person may read."""

from __future__ import annotations

import json
import logging
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from html import unescape
from typing import Any, Literal, cast

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.json_types import is_array, is_object
from iprog_async._core.sealed import MASK, Secret, Unpicklable


# A shorter secret would mask half of every answer; the keys below still hide it.
_SHORTEST = 4
# A shorter one of letters and digits is a part of numbers, words and ids, too: it is masked where
# it stands by itself.
_STRONG = 8
# Keys whose values gateways return and nobody should see, whoever they belong to.
SECRET_KEYS = frozenset({"api_token", "api_key", "password", "otp_code", "message_status_link"})
_CONTAINERS = frozenset({dict, list})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_QUERY_VALUE = re.compile(r"""([?&][^\s=&?#'"]+=)[^\s&#'"]+""")
_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    "hpack.hpack",
    "hpack.table",
)


def clean_secret(value: object, what: str, *, header: bool = False) -> Secret:
    """Strip a credential and check that it can travel; from here on no `repr` shows it.

    Args:
        value: The credential as given, perhaps with an env file's trailing newline.
        what: What to call it in the error, for example `"IPROG api_token"`.
        header: Whether it travels in a header, where only printable ASCII can.

    Raises:
        ConfigurationError: It is missing, empty, or has characters that can't travel.
    """
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"the {what} is missing or empty")
    secret = Secret(value.strip())
    if _CONTROL.search(secret) or not secret.isprintable():
        raise ConfigurationError(f"the {what} contains a line break or control character")
    if header and not secret.isascii():
        raise ConfigurationError(f"the {what} contains characters that a header can't carry")
    return secret


class Redactor(Unpicklable):
    """Replaces known secrets, in whatever spelling, by `***`."""

    # Without attributes that could be listed.
    __slots__ = ("_escapes", "_needles", "_only", "_pattern", "_reach", "_shortest", "_strong")

    def __init__(self, secrets: tuple[str, ...]) -> None:
        known = {
            part
            for secret in secrets
            for each in _spellings(secret)
            for part in _parts(each)
            if len(part) >= _SHORTEST
        }
        # Longest first, so that no secret leaves the tail of a longer one behind.
        ordered = sorted(known, key=len, reverse=True)
        self._pattern = _any_of(ordered)
        self._strong = _any_of([secret for secret in ordered if not _is_weak(secret)])
        self._needles = tuple(
            way.encode("utf-8", "replace")
            for way in {way for each in ordered for way in _in_json(each)}
        )
        self._shortest = len(ordered[-1]) if ordered else 0
        # How much of a text the longest of them takes up, in any spelling.
        self._reach = _LONGEST_ESCAPE * len(ordered[0]) if ordered else 0
        self._only = ordered[0] if len(ordered) == 1 else None
        # What in JSON can spell a secret, or end with its first letter: without them it is where
        # it looks to be. `None` if it could be more or less than a part of one text.
        self._escapes: re.Pattern[str] | None = None
        if all(map(_PLAIN_TEXT.fullmatch, ordered)):
            firsts = "".join({secret[0] for secret in ordered})
            # Nobody escapes letters and digits.
            others = "" if all(map(str.isalnum, ordered)) else "[%&]|"
            self._escapes = re.compile(rf"{others}\\[u\\{re.escape(firsts)}]")

    def touches(self, body: bytes) -> bool:
        """Return whether a body may hold a secret; escapes can spell anything."""
        # `in` first takes what it looks for as a number, and makes an error of it: in each send.
        find = body.find
        if find(b"\\u") >= 0 or find(b"\\\\") >= 0 or find(b"%") >= 0 or find(b"&") >= 0:
            return True
        for needle in self._needles:  # noqa: SIM110 - any() takes twice the time
            if find(needle) >= 0:
                return True
        return False

    def text(self, text: str) -> str:
        """Return the text with secrets masked."""
        # Most names and values of an answer are shorter than any secret.
        if self._pattern is None or len(text) < self._shortest:
            return text
        return _masked(text, self._pattern)

    def beginning(self, text: str, most: int, *, goes_on: bool = False) -> str:
        """Return how a text begins, with secrets masked: first masked, and then cut.

        Not all of a long text is searched. Half a secret at the end of what was searched can't be
        told from other text, so the end is left out.

        Args:
            text: The text.
            most: The most characters of it.
            goes_on: Whether it is a beginning itself, which may end within a secret.
        """
        searched = most + self._reach
        if not (goes_on or len(text) > searched):
            return self.text(text)[:most]
        masked = self.text(text[:searched])
        return masked[: max(0, min(most, len(masked) - self._reach))]

    def json(self, written: str) -> str | None:
        """Return JSON with secrets masked, in a third of the time that masking its data takes.

        Returns:
            The same JSON, with `***` in its texts; `None` if only its data can be masked.
        """
        if self._pattern is None or self._escapes is None or self._escapes.search(written):
            return None
        if self._only is not None:
            # As nearly always, and without a pattern.
            return written.replace(self._only, MASK)
        return self._pattern.sub(MASK, written)

    def data(self, data: object, whole: dict[str, str] | None = None) -> object:
        """Return parsed JSON with secrets masked in every key and value.

        Args:
            data: The JSON.
            whole: Gets the texts that were masked for a word of theirs that is also a weak
                secret, by what became of them: an id such as `shop-17` of the account `shop`.
        """
        if self._pattern is None:
            return data
        if isinstance(data, str):
            masked = self.text(data)
            if whole is not None and masked != data and self._is_shown(data, masked):
                # Two texts that look the same when masked can't be told apart.
                whole[masked] = data if whole.get(masked, data) == data else masked
            return masked
        if isinstance(data, int):
            # A code made of digits comes back as a number from some.
            return MASK if self.text(str(data)) == MASK else data
        if is_object(data):
            return {self.text(key): self.data(value, whole) for key, value in data.items()}
        if is_array(data):
            return [self.data(value, whole) for value in data]
        return data

    def _is_shown(self, text: str, masked: str) -> bool:
        """Return whether a text that was masked is more than a secret, and has no strong one."""
        more = any(map(str.isalnum, masked.replace(MASK, "")))
        return more and (self._strong is None or _masked(text, self._strong) == text)

    def __repr__(self) -> str:
        return "Redactor()"


# Characters that one of a secret may become: of `\\u005a`, each as in an address.
_LONGEST_ESCAPE = 21
# Of one spelling, and never a number, nor a part of `false`, nor of what is around a text.
_PLAIN_TEXT = re.compile(r"(?=.*[A-DF-Za-df-z_~])[A-Za-z0-9_.~-]{8,}", re.ASCII)


def _parts(secret: str) -> Iterator[str]:
    """Yield a secret, and what of it is one by itself: Laravel's tokens are `17|` and a secret."""
    yield secret
    tail = secret.rpartition("|")[2]
    if len(tail) >= _STRONG:
        yield tail


_FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
# Beside lost characters, enough has to be left that nothing else is like it.
_LEFT = 6


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret, and what becomes of its letters beyond ASCII.

    Header fields are bytes, read one by one: `ä` in UTF-8 comes as `Ã¤`. Some store an accent by
    itself, and what can't be written or read leaves a mark.
    """
    yield secret
    if secret.isascii():
        return
    for form in {secret, *(unicodedata.normalize(form, secret) for form in _FORMS)}:
        yield form
        yield from _misread(form)


def _misread(secret: str) -> Iterator[str]:
    written = secret.encode("utf-8", "replace")
    for read in (written.decode("latin-1"), _in_windows(written)):
        again = read.encode()
        # By two programs, one behind the other.
        yield from (read, again.decode("latin-1"), _in_windows(again))
    if sum(map(str.isascii, secret)) >= _LEFT:
        for coding in ("ascii", "latin-1", "cp1252"):
            lossy = secret.encode(coding, "replace")
            yield from (lossy.decode(coding), lossy.decode("utf-8", "replace"))
        yield from (written.decode("ascii", "replace"), written.decode("ascii", "surrogateescape"))


def _in_windows(written: bytes) -> str:
    """Return bytes as browsers read Latin-1: where Windows has no character, it is a control."""
    return "".join(bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in written)


def _any_of(secrets: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(_as_pattern, secrets))) if secrets else None


def _as_pattern(secret: str) -> str:
    # In a form, a blank is a plus.
    pattern = re.escape(secret).replace("\\ ", "[ +]")
    return rf"(?<![^\W_]){pattern}(?![^\W_])" if _is_weak(secret) else pattern


def _is_weak(secret: str) -> bool:
    return len(secret) < _STRONG and secret.isalnum()


def _in_json(secret: str) -> Iterator[str]:
    """Yield how a secret is written in JSON where there is no other escape, and in a form."""
    written = json.dumps(secret, ensure_ascii=False)[1:-1]
    yield from (written, written.replace("/", "\\/"))  # PHP escapes slashes
    yield written.replace(" ", "+")


# HTML in JSON in a query, and one more.
_LAYERS = 4
_ESCAPES = re.compile(r"[%&\\]")
_ESCAPED = re.compile(
    # Of a character in two halves, of any other one, of a byte, of a mark.
    r"\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}"
    r"|[\\%]u[\da-fA-F]{4}|\\u\{[\da-fA-F]{1,6}\}|\\U00[\da-fA-F]{6}"
    r"|\\x[\da-fA-F]{2}|\\[0-3][0-7]{2}|\\[\"'/\\]"
    # As UTF-8, or as a single byte.
    r"|%[c-fC-F][\da-fA-F](?:%[89abAB][\da-fA-F]){1,3}|%[\da-fA-F]{2}"
    r"|&(?:#\d{1,7};?|#[xX][\da-fA-F]{1,6};?|[A-Za-z][A-Za-z\d]{1,31};)",
    re.ASCII,
)


def _masked(text: str, pattern: re.Pattern[str]) -> str:
    """Return a text with `***` for what a pattern matches in it, however that is escaped."""
    if _ESCAPES.search(text) is None:
        return pattern.sub(MASK, text)
    parts, end = list[str](), 0
    for first, last in sorted(_spans(text, pattern)):
        if first >= end:
            parts += (text[end:first], MASK)
        end = max(end, last)
    return "".join((*parts, text[end:]))


def _spans(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield where, from and to, a pattern matches a text, or what its escapes stand for."""
    places: Sequence[int] = range(len(text) + 1)
    for _ in range(_LAYERS):
        for found in pattern.finditer(text):
            yield places[found.start()], places[found.end()]
        plain, origins = _unescaped(text)
        if plain == text:
            return
        text, places = plain, [places[origin] for origin in origins]


def _unescaped(text: str) -> tuple[str, list[int]]:
    """Return a text without one layer of escapes, and where each character of it comes from."""
    parts, origins, end = list[str](), list[int](), 0
    for found in _ESCAPED.finditer(text):
        start, char = found.start(), _character(found[0])
        parts += (text[end:start], char)
        origins += (*range(end, start), *[start] * len(char))
        end = found.end()
    return "".join((*parts, text[end:])), [*origins, *range(end, len(text) + 1)]


def _character(escape: str) -> str:
    if escape[0] == "&":
        return unescape(escape)
    if escape[1] == "U" or escape[2:3] == "{":
        # Beyond the last character there is none.
        return chr(min(int(escape[2:].strip("{}"), 16), sys.maxunicode))
    if escape[1] in "ux":
        code = re.sub(r"[\\%][ux]", "", escape).zfill(4)
        return bytes.fromhex(code).decode("utf-16-be", "replace")
    if escape[0] == "\\":
        return chr(int(escape[1:], 8)) if escape[1:].isdigit() else escape[1]
    raw = bytes.fromhex(escape.replace("%", ""))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


_RUN = re.compile(r"[A-Za-z0-9]+")
_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Longer than words and phone numbers are.
_LONG_RUN = 24
_SHORTEST_RUN = 10


def looks_secret(word: str) -> bool:
    """Return whether a word that somebody wrote in the wrong place may be a credential.

    An address, two parts with a bar between them, or letters and digits as they come by chance.
    """
    if "://" in word or "|" in word or "%7C" in word.upper() or _UUID.search(word):
        return True
    runs = [run for run in _RUN.findall(word) if len(run) >= _SHORTEST_RUN]
    return any(len(run) >= _LONG_RUN or len(_CHANGE.findall(run)) >= 3 for run in runs)


def veiled(text: str) -> str:
    """Return a text with `***` for each of its words that looks like a credential."""
    return _NO_BLANKS.sub(lambda word: MASK if looks_secret(word[0]) else word[0], str(text))


def shown(value: object) -> str:
    """Return how an error shows what somebody gave for a setting.

    As it is written in code, with `***` for words that look like a credential: one may stand in the
    place of another setting.
    """
    return repr(veiled(value)) if isinstance(value, str) else veiled(repr(value))


_NO_BLANKS = re.compile(r"\S+")


def mask_keys(data: object) -> object:
    """Return parsed JSON with the values of secret keys replaced by `***`."""
    if is_object(data):
        masked = dict(data)
        if not _CONTAINERS.isdisjoint(map(type, data.values())):
            masked = {key: mask_keys(value) for key, value in data.items()}
        for key in SECRET_KEYS:
            if key in masked:
                masked[key] = MASK
        return masked
    if is_array(data):
        return [mask_keys(value) for value in data]
    return data


def one_line(text: str, limit: int = 300) -> str:
    """Return a gateway's words as one printable line, cut to `limit` characters."""
    line = _CONTROL.sub(" ", text).encode("utf-8", "replace").decode("utf-8").strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def words(value: object) -> list[str]:
    """Return the texts in a gateway's message: a string, or a list of strings."""
    parts: list[object] = value if is_array(value) else [value]
    return [part for part in parts if isinstance(part, str) and part.strip()]


active_redactor: ContextVar[Redactor | None] = ContextVar("active_redactor", default=None)
"""The redactor of the call that this task is making, for the log filter below."""


class _SecretFilter(logging.Filter):
    """Masks what the call under way carries in records of the HTTP libraries.

    httpx logs whole URLs at INFO and httpcore headers at DEBUG. Of a query only the names are
    kept: with some settings it has the number and the text.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        redactor = active_redactor.get()
        if redactor is not None:
            message = record.getMessage()
            masked = _QUERY_VALUE.sub(rf"\1{MASK}", redactor.text(message))
            if masked != message:
                record.msg, record.args = masked, cast("Any", ())
        return True


_FILTER = _SecretFilter()


def guard_http_logs() -> None:
    """Attach the filter to the HTTP libraries' loggers; calling it again changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
