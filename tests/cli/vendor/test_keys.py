from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli.vendor import Vendors, decline

from iprog_async.sandbox import Fault, Sandbox


_MAKERS = [["keys", "generate"], ["keys", "regenerate", "--yes"]]


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Give a sandbox of this module's own: revoked keys would be missed by others."""
    with Sandbox(delivered_after=0) as sandbox:
        yield sandbox


@pytest.mark.parametrize("tokens", _MAKERS)
def test_show(vendors: Vendors, tokens: list[str]) -> None:
    """`--show` prints the key, which then works."""
    words = vendors(*tokens, "--show").out.split()
    data = vendors(*tokens, "--show", "--expiry-days", "30", "--json").json
    balance = "ugsms-v2://{}@?" + vendors.sandbox.address("ugsms-v2").partition("@?")[2]

    assert ["New", "key"] == words[:2]
    assert ["key", "shown", "expires_at", "output"] == list(data)
    assert (True, None, True) == (data["shown"], data["output"], bool(data["expires_at"]))
    assert 0 == vendors.cli("balance", "--url", balance.format(data["key"])).code


@pytest.mark.parametrize("tokens", _MAKERS)
def test_output(vendors: Vendors, tokens: list[str]) -> None:
    """`--output` keeps the key in a file of one's own, and what is printed hides it."""
    words = vendors(*tokens, "--output", "one.key")
    data = vendors(*tokens, "--output", "two.key", "--json")
    keys = [Path(name).read_text().strip() for name in ("one.key", "two.key")]

    assert ["New key ***", "It is in one.key; --show would print it, too"] == [
        line.partition(", valid")[0] for line in words.out.splitlines()
    ]
    assert ("***", False, "two.key") == tuple(
        data.json[name] for name in ("key", "shown", "output")
    )
    assert [] == [key for key in keys if not key or key in words.out + data.out]
    if sys.platform != "win32":
        assert 0o600 == stat.S_IMODE(Path("one.key").stat().st_mode)


@pytest.mark.parametrize("tokens", _MAKERS)
def test_no_place(vendors: Vendors, tokens: list[str]) -> None:
    """A key that nobody would ever see is not made."""
    vendors.sandbox.add_fault(Fault("POST /ugsms/*", "garbage", times=None))
    ran = vendors(*tokens)
    vendors.sandbox.clear_faults()

    assert (2, "") == (ran.code, ran.out)
    assert "add --show to print it, or --output FILE" in ran.err


@pytest.mark.parametrize("tokens", _MAKERS)
def test_output_is_there(vendors: Vendors, tokens: list[str]) -> None:
    """A file that is there is kept, and no key is made for it."""
    Path("old.key").write_text("old")
    ran = vendors(*tokens, "--output", "old.key")

    assert (2, "old") == (ran.code, Path("old.key").read_text())
    assert ran.err.endswith("File exists; nothing was asked for\n")


@pytest.mark.parametrize("kind", ["drop_after", "status_after", "garbage"])
@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (_MAKERS[0], "A key may have been made\n"),
        (_MAKERS[1], "if so, the old one is void and the new one lost\n"),
    ],
)
def test_unknown(vendors: Vendors, kind: str, tokens: list[str], words: str) -> None:
    """A lost answer is code 6, says what may have happened, and leaves no empty file."""
    vendors.sandbox.add_fault(Fault("POST /ugsms/*", kind))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the table above holds only kinds
    ran = vendors(*tokens, "--output", "new.key")

    assert (6, False) == (ran.code, Path("new.key").exists())
    assert ran.err.endswith(words)


def test_not_made(vendors: Vendors) -> None:
    """A refusal leaves no empty file, and says that nothing was made."""
    ran = vendors("keys", "generate", "--output", "new.key", "--expiry-days", "900")

    assert (2, False) == (ran.code, Path("new.key").exists())
    assert "iprog-async: --expiry-days is 1 to 365, not 900. No key was made\n" == ran.err


def test_revoke(vendors: Vendors) -> None:
    """Revoking is told in words and in JSON."""
    words, data = vendors("keys", "revoke", "--yes"), vendors("keys", "revoke", "--yes", "--json")
    assert ("Revoked the API key\n", {"revoked": True}) == (words.out, data.json)


@pytest.mark.parametrize("tokens", [["keys", "revoke"], ["keys", "regenerate", "--show"]])
def test_asking(vendors: Vendors, monkeypatch: pytest.MonkeyPatch, tokens: list[str]) -> None:
    """What voids a key is asked about; without a terminal it needs `--yes`."""
    key = vendors("keys", "generate", "--show", "--json").json["key"]
    address = vendors.sandbox.address("ugsms-v2").replace("sandbox-ugsms-key", key)
    refused = vendors.cli(*tokens, "--url", address)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("iprog_async.cli._terminal.confirm.ask", decline)
    declined = vendors.cli(*tokens, "--url", address)

    assert (2, True) == (refused.code, refused.err.endswith("add --yes to do it\n"))
    assert (130, "iprog-async: stopped; nothing was done\n") == (declined.code, declined.err)
    assert 0 == vendors.cli("balance", "--url", address).code


@pytest.mark.parametrize("tokens", _MAKERS)
@pytest.mark.parametrize("show", [True, False])
def test_full_disk(
    vendors: Vendors, monkeypatch: pytest.MonkeyPatch, tokens: list[str], show: bool
) -> None:
    """A key that was made and can't be written is printed with `--show`, and never denied."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    ran = vendors(*tokens, "--output", "new.key", *(["--show"] if show else []))

    assert (6, False) == (ran.code, Path("new.key").exists())
    assert "the key was made" in ran.err
    assert "No space left on device" in ran.err
    assert (show, not show) == (ran.out.startswith("New key "), "regenerate --show" in ran.err)


def test_revoked_by_a_lost_try(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry that meets a key revoked by the try before is not told as a plain refusal."""

    async def sleep(self: object, seconds: float) -> None:
        return

    monkeypatch.setattr("iprog_async._core.clock.SystemClock.sleep", sleep)
    key = vendors("keys", "generate", "--show", "--json").json["key"]
    address = vendors.sandbox.address("ugsms-v2").replace("sandbox-ugsms-key", key)
    vendors.sandbox.add_fault(Fault("* /ugsms/*", "drop_after"))
    ran = vendors.cli("keys", "revoke", "--yes", "--url", address)

    assert 3 == ran.code
    assert ran.err.endswith("If an earlier try got through, the key is revoked\n")
