"""What the command line says of the library's advice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli.bulk import write_csv
from support.cli.runner import Cli

import iprog_async
import iprog_async_providers
from iprog_async import ConfigurationError, JournalConflictError
from iprog_async.cli._errors.wording import in_options, words_of_error
from iprog_async.sandbox import Fault, Sandbox


_SOURCES = [
    path
    for package in (iprog_async, iprog_async_providers)
    for path in sorted(Path(package.__path__[0]).rglob("*.py"))
    if not {"cli", "testing"} & set(path.parts)
]
# An argument (`name=`), a name in Python's own spelling, or a call.
_ADVICE = re.compile(r"\b[a-z]+(_[a-z]+)*=(?!=)|\b[a-z]+_[a-z_]+\b|\b[A-Z]\w+\.\w+\(|\bdatetime\b")
_SETTING = re.compile(r"\?[a-z_]+=[\w/]*|^[a-z_]+ (is|starts at|must be) ")
"""A setting in an address, where its name is just that."""
_NEVER_SEEN = {
    # Mistakes that only a program can make.
    "a provider is an object such as",
    "iprog_async.otel needs",
    "observers are objects of",
    "observers= takes a list",
    "is an async function, and nobody",
    "give one of pool=",
    "belong to the pool you gave",
    "user_agent= takes a text",
    "journal= is an open journal",
    "key= keeps a text from going out twice",
    "verify= takes an ssl.SSLContext",
    "verify= belongs to your own http=",
    "suppress= takes a plain function",
    "suppress= takes numbers, the path",
    "so weights= are",
    "schedule_at ",
    "with client.send_many",
    "is for synchronous code",
    "of iprog_async.sync: pass its",
    "here reconcile takes a client",
    "journal= is the path of a journal",
    "messages is an iterable of Message(to, text) here",
    "which no text can be enqueued with",
    "and an outbox is in PostgreSQL",
    "what is enqueued is a Message",
    "an outbox keeps no ",
    "a text that is enqueued needs a key",
    "max_age= is a timedelta",
    "needs a journal in PostgreSQL, such as Journal.open",
    "an outbox needs a client with a journal",
    "lifetime= is ",
    "tries= is ",
    "length= is ",
    "made_by= is ",
    "leave out made_by=",
    "a gateway checks a code by its number alone",
    "per_number= is how many codes",
    "a text was 'accepted' or",
    "when_quiet= takes",
    "give host or base_url",
    "sender_id= has a country",
    "there are no stop words for",
    "secret= is 16 to 200",
    "give InboundApp an on_message",
    "the client given as http= is closed",
    "the transport of the http= client",
    "on_message raised",
    "suppress= could not be asked about",
    "confirmation= confirms what",
    "the client of a Confirmation",
    "not_after ",
    # Of an address: there these are the names of settings.
    "path as base_url=",
    "base_url= in the address",
    "where is the host? Give base_url=",
    # Of a key of a file.
    'number_format = "national"',
    "takes no sms_provider",
}


def _literals(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_literals(value) for value in values)
        case ast.FormattedValue():
            return "…"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _literals(left) + _literals(right)
        case _:
            return ""


def _sentences() -> Iterator[str]:
    """Yield the literal part of every error's message in the sources."""
    for path in _SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and _makes_an_error(node.func):
                yield _literals(node.args[0])


def _makes_an_error(func: ast.expr) -> bool:
    if isinstance(func, ast.Attribute):
        return func.attr == "__init__" and isinstance(func.value, ast.Call)
    return isinstance(func, ast.Name) and func.id.endswith("Error")


@pytest.mark.slow
def test_no_advice_is_in_terms_of_arguments() -> None:
    """Of all errors of the library none names an argument once the command has said it."""
    told = [in_options(sentence) for sentence in _sentences()]
    left = [
        words
        for words in told
        if _ADVICE.search(_SETTING.sub("", words))
        and not any(phrase in words for phrase in _NEVER_SEEN)
    ]

    assert len(told) > 100
    assert [] == left


def test_every_phrase_is_said_somewhere() -> None:
    """No row of the table is left over from a sentence that the library says no more."""
    from iprog_async.cli._errors import wording

    sources = "\n".join(path.read_text("utf-8") for path in _SOURCES)
    joined = re.sub(r'"\s*\n\s*f?"', "", sources).replace('\\"', '"')
    patterns = [
        pattern
        for pattern, _ in wording._TERMS  # pyright: ignore[reportPrivateUsage] - the table itself
    ]

    assert [] == [
        pattern for pattern in patterns if not re.search(pattern.removeprefix("^"), joined)
    ]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            JournalConflictError("+639171234567"),
            "Nothing was sent now; if it shall get both, add --allow-changed-text",
        ),
        (ConfigurationError("base_url 'x' is no address"), "base_url= in the address (SMS_URL"),
        (ConfigurationError("engine='asyncio' needs: pip"), "--engine asyncio needs: pip"),
    ],
)
def test_advice_names_options(error: iprog_async.SmsError, words: str) -> None:
    """What to do is told by options."""
    assert words in words_of_error(error)


def test_sandbox_for_other_machines(cli: Cli) -> None:
    """An address that others can reach is refused with the option that allows it."""
    ran = cli("sandbox", "--host", "0.0.0.0")  # noqa: S104 - it is refused

    assert (2, True) == (ran.code, "; add --allow-remote if that is meant" in ran.err)


@pytest.mark.usefixtures("_no_waiting")
def test_national_number_without_a_region(cli: Cli, sandbox: Sandbox) -> None:
    """A national number is answered with what to write into the address."""
    ran = cli("send", "0917 123 4567", "Hi", "--url", sandbox.address("infopromo"))

    assert (2, True) == (ran.code, "where national numbers are read, as in ?region=PH" in ran.err)


@pytest.mark.usefixtures("_iprog", "_no_waiting")
def test_journal_in_results(cli: Cli, sandbox: Sandbox, tmp_path: Path) -> None:
    """What an earlier run left unknown is told with the option that sends it again."""
    path = write_csv(tmp_path / "june.csv", [("09171234567", "Ann")])
    out = tmp_path / "out.csv"
    run = ("bulk", path, "--text", "Hi", "--yes", "--journal", str(tmp_path / "june.db"))
    sandbox.add_fault(Fault("POST /iprog/*", "drop_after"))
    cli(*run)

    cli(*run, "--results", str(out))

    assert "bulk with --resend-unknown sends it again" in out.read_text()
