"""Words of a command line that no error repeats: a credential may stand in the wrong place."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from iprog_async._core.redaction import SECRET_KEYS, Redactor, looks_secret
from iprog_async._core.sealed import MASK
from iprog_async.cli._base.command_table import COMMANDS


# Tokens and keys are longer; names, options and ids that people type hardly ever are.
_SHORT = 12
_ADDRESS = re.compile(r"([A-Za-z][\w+.-]*)://[^\s'\"]*")
_DATABASE = re.compile(r"postgres(?:ql)?://\S*")
_HARMLESS = (
    # Numbers, times and amounts; paths and files; references such as iprog:iSms-2GfhbG; fields.
    re.compile(r"[-+\d\s().,:/TZ]+"),
    re.compile(r".*[/\\].*|.+\.[A-Za-z]{1,5}", re.DOTALL),
    re.compile(r"[a-z][a-z0-9-]*:\S+"),
    re.compile(r".*\{.*\}.*"),
)

# One piece of a time as people write it: "yesterday 9:00", "in 2 hours", "1 Dec 2027 8 pm".
_OF_A_TIME = re.compile(
    r"[-+\d.,:/]+(?:st|nd|rd|th|[ap]\.?m\.?|h|min|z)?,?|[ap]\.?m\.?|in|at|yesterday|today|tomorrow"
    r"|min|(?:minute|hour|day|week)s?"
    r"|(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)[.,]?",
    re.ASCII | re.IGNORECASE,
)


def veil(line: str, tokens: Sequence[str]) -> str:
    """Return what is said of a command line, with `***` for words that may be a credential."""
    # Looked up once, and only if a word is long enough: it takes longer than most errors.
    known = cache(lambda: _names(tokens))
    hidden = {part for token in tokens for part in _parts(token) if not _is_harmless(part, known)}
    addresses = {part for part in hidden if _ADDRESS.fullmatch(part)}
    for address in sorted(addresses, key=len, reverse=True):
        # Where a file belongs, a path has been made of it.
        for written in (address, str(Path(address))):
            line = line.replace(written, f"{address.partition('://')[0]}://{MASK}")
    return Redactor(tuple(hidden - addresses)).text(line)


def _names(tokens: Sequence[str]) -> list[str]:
    """Return the commands that there are, and the options of the one that was called."""
    try:
        from iprog_async.cli._base.app import app
    except ImportError:
        # The extra is missing, and nothing was called.
        return [*COMMANDS]
    _, apps, _ = app.parse_commands(tokens)
    names = [*COMMANDS, *(name for called in apps for name in called)]
    if apps[-1].default_command is not None:
        taken = apps[-1].assemble_argument_collection()
        names += [name for argument in taken for name in argument.names]
    return [name.lstrip("-") for name in names]


def mask_addresses(line: str) -> str:
    """Return a line with every address in it masked."""
    return _ADDRESS.sub(rf"\1://{MASK}", line)


def _parts(token: str) -> Iterator[str]:
    """Yield a word, and what an error may repeat of it alone."""
    bare = token.lstrip("-")
    if _is_open(token) or _is_open(bare.partition("=")[2]):
        return
    for word in {token, bare, bare.partition("=")[0], bare.partition("=")[2], *bare.split()}:
        yield word
        if "://" in word:
            yield from _credentials(word)


def _is_open(word: str) -> bool:
    """Return whether a word is the address of a database that has no password in it.

    Its user is a name, and what people look for in the error; that of a gateway is a credential.
    """
    if not _DATABASE.fullmatch(word):
        return False
    try:
        parts = urlsplit(word)
        password = parts.password
    except ValueError:
        return False
    return password is None and not any(key in SECRET_KEYS for key, _ in parse_qsl(parts.query))


def _credentials(address: str) -> Iterator[str]:
    """Yield what an address may hold of credentials; the shortest are no reason to mask words."""
    try:
        parts = urlsplit(f"//{address.partition('://')[2]}")
    except ValueError:
        return
    userinfo = parts.netloc.rpartition("@")[0]
    values = [value for key, value in parse_qsl(parts.query) if key in SECRET_KEYS]
    for text in (userinfo, *userinfo.split(":"), *values):
        yield from {text, unquote(text)}


def _is_harmless(word: str, known: Callable[[], Sequence[str]]) -> bool:
    name, equals, value = word.lstrip("-").partition("=")
    if equals and "://" not in name:
        return _is_harmless(name, known) and _is_harmless(value, known)
    folder, name = os.path.split(word)
    if os.path.isdir(folder):
        # A file of this machine, or one that could be.
        word = name
    if looks_secret(word):
        return os.path.exists(os.path.join(folder, word))
    if len(word) <= _SHORT or any(kind.fullmatch(word) for kind in _HARMLESS):
        return True
    if all(map(_OF_A_TIME.fullmatch, word.split())):
        return True
    return bool(get_close_matches(word.lstrip("-"), known(), 1, 0.7))
