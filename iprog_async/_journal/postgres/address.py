"""The address of a journal in PostgreSQL, which is never shown with its password."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, unquote, urlencode, urlsplit

from attrs import field, frozen

from iprog_async._core.errors import JournalError
from iprog_async._core.redaction import Redactor, one_line, shown
from iprog_async._core.sealed import Secret
from iprog_async._core.tracebacks import discreet


DEFAULT_SCHEMA = "iprog_async"

_SCHEMES = ("postgresql", "postgres")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://")
# With a slash too few, in quotes, or as `host=… password=…`, it is an address all the same: as a
# path, its password would be shown, and be the name of a file.
_ALMOST = re.compile(
    r"""[\s"']*postgres(ql)?(\+\w+)?(:|//)"""
    r"|.*://"
    r"|\s*(host(addr)?|port|dbname|user|password|service|sslmode)\s*=",
    re.IGNORECASE | re.DOTALL,
)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:]*)(:[0-9]+)?")
# A name that PostgreSQL would cut off would be another schema than the one that was meant.
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_ENCODED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*", re.DOTALL)
_SECRET = frozenset({"password", "sslpassword", "oauth_client_secret"})
_HOW_TO = (
    "write postgresql://user:password@host/database?schema=name, with characters such as "
    "@ / : ? # % in the password as %40 %2F %3A %3F %23 %25"
)


def is_address(place: str | os.PathLike[str]) -> bool:
    """Return whether a journal's place is an address, and no path of a file."""
    return isinstance(place, str) and _ALMOST.match(place) is not None


@frozen(kw_only=True)
class PostgresAddress:
    """Where a journal is.

    Args:
        conninfo: What libpq connects to, with the password if there is one; never shown.
        schema: The schema of its tables.
        shown: The address as people may see it.
        redactor: Takes the password out of what a server says.
    """

    conninfo: Secret = field(repr=False)
    schema: str = DEFAULT_SCHEMA
    shown: str
    redactor: Redactor = field(repr=False, eq=False)

    @classmethod
    @discreet
    def parse(cls, address: str) -> PostgresAddress:
        """Read an address.

        Raises:
            JournalError: It is none, with what to change; nothing of a password is in it.
        """
        found = _SCHEME.match(address)
        scheme = found["scheme"].lower() if found else ""
        if scheme not in _SCHEMES:
            if scheme:
                raise _unreadable(f"no journal is kept in {scheme}://")
            raise _unreadable("it does not begin with postgresql://")
        try:
            parts = urlsplit(address)
        except ValueError:
            raise _unreadable("it can't be read") from None
        if not _is_percent_encoded(address):
            raise _unreadable("after a % there is no character of it: a % itself is %25")
        user, password, hosts = _authority(parts.netloc)
        if parts.fragment or "@" in parts.path or not address.isprintable() or " " in address:
            raise _unreadable("it can't be read")
        query = _parameters(parts.query)
        schema = query.pop("schema", DEFAULT_SCHEMA)
        if not _SCHEMA.fullmatch(schema):
            raise _unreadable(
                f"the schema {one_line(shown(schema), 80)} has to be a name of small letters, "
                "digits and _"
            )
        # A server and its driver may quote a password as it is meant, or as it is written.
        secrets = [password, unquote(password), *(query[name] for name in query.keys() & _SECRET)]
        rest = f"?{urlencode(query, quote_via=quote)}" if query else ""
        path = parts.path
        told = {} if schema == DEFAULT_SCHEMA else {"schema": schema}
        if not hosts and "host" in query:
            told = {"host": query["host"], **told}
        shown_query = f"?{urlencode(told, safe='/', quote_via=quote)}" if told else ""
        return cls(
            conninfo=Secret(f"postgresql://{parts.netloc}{path}{rest}"),
            schema=schema,
            shown=f"postgresql://{f'{user}@' if user else ''}{hosts}{path}{shown_query}",
            redactor=Redactor(tuple(secret for secret in secrets if secret)),
        )

    def __str__(self) -> str:
        return self.shown


def _is_percent_encoded(address: str) -> bool:
    """Return whether each % begins a character of UTF-8, as libpq and the driver read it."""
    if not _ENCODED.fullmatch(address):
        return False
    try:
        return "\0" not in unquote(address, errors="strict")
    except UnicodeDecodeError:
        return False


def _authority(netloc: str) -> tuple[str, str, str]:
    """Return user, password and hosts, as they are written."""
    login, at, hosts = netloc.rpartition("@")
    if "@" in login:
        raise _unreadable("there are two @ in it")
    if not all(_HOST.fullmatch(host) for host in hosts.split(",")):
        raise _unreadable("it has no host, or a port that is no number")
    user, _, password = login.partition(":") if at else ("", "", "")
    return user, password, hosts


def _parameters(query: str) -> dict[str, str]:
    """Return what follows the question mark; a plus is a plus to libpq, and no space."""
    parts = [part.partition("=") for part in query.split("&")] if query else []
    if not all(name and equals and "@" not in value for name, equals, value in parts):
        raise _unreadable("what follows its ? can't be read")
    return {unquote(name): unquote(value) for name, _, value in parts}


def _unreadable(why: str) -> JournalError:
    return JournalError(f"the journal's address is wrong: {why}; {_HOW_TO}. Nothing was sent")
