from __future__ import annotations

import pytest
from support.cli.runner import Cli

from iprog_async import SupportsBalance, SupportsStatus, provider_types
from iprog_async.adapter import Batching, Capabilities, SmsUrl
from iprog_async.cli._commands import capability_table
from iprog_async_providers.iprog import IprogProvider


def test_json(cli: Cli) -> None:
    """Every installed provider has a row, and the row says what its class says."""
    ran = cli("providers", "--json")
    assert ran.code == 0
    types = provider_types()
    assert list(types) == [row["name"] for row in ran.json]
    for row in ran.json:
        cls = types[row["name"]]
        assert row["status"] == hasattr(cls, "status")
        assert row["balance"] == hasattr(cls, "balance")
        assert row["scheduling"] == cls.capabilities.scheduling
        assert row["operations"] == list(cls.capabilities.operations)
        assert row["env_names"] == list(cls.env_names)
        assert row["max_batch"] >= 1


def test_agrees_with_the_protocols() -> None:
    """What the matrix calls able is what the client will accept."""
    provider = IprogProvider("sandbox-token")
    row = next(row for row in capability_table.rows() if row.name == "iprog")
    assert (row.status, row.balance) == (
        isinstance(provider, SupportsStatus),
        isinstance(provider, SupportsBalance),
    )


@pytest.mark.parametrize("columns", ["80", "100"])
def test_words(cli: Cli, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """The table names every provider and operation whole, in a terminal of usual width."""
    monkeypatch.setenv("COLUMNS", columns)
    ran = cli("providers")
    wanted = {name for row in capability_table.rows() for name in (row.name, *row.operations)}
    assert (ran.code, sorted(name for name in wanted if name not in ran.out)) == (0, [])
    assert int(columns) >= max(map(len, ran.out.splitlines()))


def test_pipe(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pipe, where nothing tells the width, each row is one line."""
    monkeypatch.delenv("COLUMNS")
    assert len(capability_table.rows()) + 2 == len(cli("providers").out.splitlines())


def test_markdown(cli: Cli) -> None:
    """The Markdown table has the same cells, with names as code."""
    lines = cli("providers", "--markdown").out.splitlines()
    assert len(capability_table.rows()) + 2 == len(lines)
    (line,) = (line for line in lines if "`iprog`" in line)
    assert line == (
        "| `iprog` | IPROG SMS | yes | yes | reminder | 100 numbers | otp, reminders, detect "
        "| `IPROG_SMS_API_TOKEN` |"
    )


@pytest.mark.parametrize(
    ("batching", "words"),
    [
        (Batching(), "1 number"),
        (Batching(max_batch=100), "100 numbers"),
        (Batching(max_batch=50, mixed_texts=True), "50 texts"),
        (None, "?"),
    ],
)
def test_request(batching: Batching | None, words: str) -> None:
    """What one request carries is told as numbers, or as texts where they may differ."""
    row = capability_table.CapabilityRow("n", "t", True, False, "none", batching, (), ())
    assert ("n", "t", "yes", "-", "-", words, "-", "SMS_URL") == row.cells()


class _Secretive(IprogProvider):
    """A plug-in that can't be built from an example, with a title that Markdown trips over."""

    capabilities = Capabilities(title="a|b")

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> _Secretive:
        """Refuse whatever comes."""
        return cls("")


def test_provider_without_example(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in that no example can be built of has an open question in its row."""
    monkeypatch.setattr(capability_table, "provider_types", lambda: {"secretive": _Secretive})
    (row,) = cli("providers", "--json").json
    assert (row["max_batch"], row["mixed_texts"]) == (None, None)
    assert "| `secretive` | a\\|b | yes | yes | - | ? | - |" in cli("providers", "--markdown").out
