"""Which certificates are trusted, by the variables that httpx and Python's `ssl` read.

| variable | read by | what it does |
|---|---|---|
| `SSL_CERT_FILE` | httpx | a file of certificates to trust instead of certifi's |
| `SSL_CERT_DIR` | httpx | the same as folders; read only without `SSL_CERT_FILE` |
| `SSLKEYLOGFILE` | `ssl` | a file that the keys of all connections are written to |
| `OPENSSL_CONF` | OpenSSL | its settings, in all programs |

OpenSSL itself takes a folder that is not there, or holds nothing that it finds, without a word, and
then trusts nobody; so these are looked at before they are used.
"""

from __future__ import annotations

import os
import re
import ssl
import stat
import sys
from functools import lru_cache
from typing import Literal

import httpx

from iprog_async._core.errors import ConfigurationError
from iprog_async._engines.environment import Variable


_FILE = "SSL_CERT_FILE"
_FOLDER = "SSL_CERT_DIR"
_KEY_LOG = "SSLKEYLOGFILE"
_OPENSSL = "OPENSSL_CONF"

# The names under which OpenSSL looks for a certificate: a hash of its subject, and a number.
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+", re.ASCII)
_REHASH = "`openssl rehash` gives the files of a folder the names that OpenSSL looks for"
_NO_CERTIFICATE = "it holds no certificate in PEM form"
_FIX_FILE = "name a file of certificates in PEM form, or unset it"


def default_ssl_context() -> ssl.SSLContext:
    """Return the trust that the environment names, or that of certifi.

    Loading takes 20 ms, so it is done once for each setting of the environment.

    Raises:
        ConfigurationError: A variable names what can't be used.
    """
    return _context(_state())


def ssl_context(verify: ssl.SSLContext | Literal[True]) -> ssl.SSLContext:
    """Turn `verify=` into an SSL context; raises `ConfigurationError` for anything else."""
    if verify is True:
        return default_ssl_context()
    if isinstance(verify, ssl.SSLContext):
        return verify
    raise ConfigurationError(
        "verify= takes an ssl.SSLContext, such as ssl.create_default_context(cafile=…); "
        "certificates are always checked, because credentials travel in every request"
    )


def trust_variables() -> list[Variable]:
    """Return the variables that are set and read, each checked as it will be used."""
    openssl = os.environ.get(_OPENSSL)
    problem = _openssl_problem()
    if problem:
        # No other one can be checked, then.
        name, value = (_OPENSSL, openssl) if openssl else ("OpenSSL", "")
        return [Variable(name, "sets up OpenSSL", problem, value)]
    found = [Variable(_OPENSSL, "sets up OpenSSL", value=openssl)] if openssl else []
    file, folders = os.environ.get(_FILE), os.environ.get(_FOLDER)
    if file:
        words = "names the certificates to trust"
        found.append(Variable(_FILE, words, _with(_file_problem(file), _FIX_FILE), file))
    if folders and file:
        found.append(Variable(_FOLDER, f"is not read beside {_FILE}", value=folders))
    elif folders:
        words = "names the folders of certificates to trust"
        found.append(Variable(_FOLDER, words, _folders_problem(folders), folders))
    log = os.environ.get(_KEY_LOG)
    if log and not sys.flags.ignore_environment:
        words = "has the keys of all connections written to a file: whoever has it reads them"
        found.append(Variable(_KEY_LOG, words, _key_log_problem(log), log))
    return found


def _state() -> tuple[object, ...]:
    """Return what the context depends on: the variables, and the state of the files."""
    values = [os.environ.get(name, "") for name in (_FILE, _FOLDER, _KEY_LOG, _OPENSSL)]
    return tuple((value, _stamp(value)) for value in values if value)


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=1)
def _context(_: tuple[object, ...]) -> ssl.SSLContext:
    for variable in trust_variables():
        if variable.problem:
            raise variable.error()
    try:
        return httpx.create_ssl_context()
    except OSError as exc:
        # All that is left is certifi's own file, which an incomplete installation lacks.
        raise ConfigurationError(
            f"the usual certificates can't be loaded ({_words(exc)}): reinstall certifi, or "
            f"set {_FILE}. Nothing was sent"
        ) from None


def _new() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _openssl_problem() -> str:
    try:
        _new()
    except OSError as exc:
        return f"OpenSSL refuses to start with its settings ({_words(exc)}); fix or unset them"
    return ""


def _file_problem(path: str) -> str:
    try:
        kind = os.stat(path).st_mode
        if stat.S_ISDIR(kind):
            return "it is a folder, not a file"
        if not stat.S_ISREG(kind):
            # Reading from a pipe could wait for ever, and would leave nothing for the next client.
            return "it is no regular file"
        context = _new()
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "it is empty" if os.path.getsize(path) == 0 else _NO_CERTIFICATE
    except OSError as exc:
        return _words(exc)
    # A file of nothing but revocations is one, too.
    return "" if context.cert_store_stats()["x509"] else _NO_CERTIFICATE


def _folders_problem(folders: str) -> str:
    """Return why no folder of a list can be used; OpenSSL passes over those that are not there."""
    problems = [_folder_problem(folder) for folder in folders.split(os.pathsep) if folder]
    if "" in problems:
        return ""
    fix = f"name a folder of certificates, or unset it; {_REHASH}"
    return _with(problems[0] if problems else "it names no folder", fix)


def _folder_problem(folder: str) -> str:
    try:
        hashed = [name for name in os.listdir(folder) if _HASHED.fullmatch(name)]
    except NotADirectoryError:
        return "it is a file, not a folder"
    except OSError as exc:
        return _words(exc)
    if any(not _file_problem(os.path.join(folder, name)) for name in hashed):
        return ""
    return "no certificate is in it under a name that OpenSSL looks for"


def _key_log_problem(path: str) -> str:
    try:
        _new().keylog_filename = path
    except OSError as exc:
        return _with(_words(exc), "name a file that can be written, or unset it")
    return ""


def _with(problem: str, fix: str) -> str:
    return f"{problem}; {fix}" if problem else ""


def _words(exc: OSError) -> str:
    if isinstance(exc, FileNotFoundError):
        return "there is no such file or folder"
    return exc.strerror or getattr(exc, "reason", None) or type(exc).__name__
