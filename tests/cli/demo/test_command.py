from __future__ import annotations

from typing import Any

import pytest
from support.cli.runner import Cli

from iprog_async import SmsError, SmsProvider, provider_types
from iprog_async.cli._demo import scenario
from iprog_async.cli._demo.scenario import Demonstration, demonstrate, number_for
from iprog_async.sandbox import Sandbox, SandboxState
from iprog_async_providers.iprog import IprogProvider
from iprog_async_providers.ugsms import UgsmsV2Provider


_PLAYED = [name for name, cls in provider_types().items() if cls.sandbox() is not None]


def test_json(cli: Cli) -> None:
    """Every adapter with a sandbox sends one text, which is accepted once and delivered."""
    ran = cli("demo", "--json")
    shown = ran.json
    assert (ran.code, shown["ok"]) == (0, True)
    assert [sent["provider"] for sent in shown["texts"]] == _PLAYED
    assert {1} == {sent["copies_in_inbox"] for sent in shown["texts"]}
    told = {sent["provider"]: sent["status"] is not None for sent in shown["texts"]}
    assert told == {name: hasattr(provider_types()[name], "status") for name in _PLAYED}
    assert {"delivered"} == {sent["status"]["state"] for sent in shown["texts"] if sent["status"]}


@pytest.mark.slow
def test_troubles(cli: Cli) -> None:
    """Of the failures on purpose only the lost answer left a text, and it left one."""
    troubles = cli("demo", "--json").json["troubles"]
    assert [
        (
            trouble["error"]["type"],
            trouble["error"]["may_have_been_sent"],
            trouble["copies_in_inbox"],
            trouble["ok"],
        )
        for trouble in troubles
    ] == [
        ("InvalidMessageError", False, 0, True),
        ("RejectedError", False, 0, True),
        ("OutcomeUnknownError", True, 1, True),
    ]


def _slow(sent: object) -> str:
    return "9999"


@pytest.mark.parametrize("columns", [80, 100])
def test_words(cli: Cli, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """The tables fit a terminal, with each adapter's name and its one text in the inbox, whole."""
    monkeypatch.setenv("COLUMNS", str(columns))
    # What a slow machine takes has four digits.
    monkeypatch.setattr("iprog_async.cli._demo.command._milliseconds", _slow)
    ran = cli("demo")
    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    rows = {words[0]: words for line in lines if "9999" in (words := line.split())}
    assert _PLAYED == list(rows)
    assert {("9999", "1")} == {tuple(words[-2:]) for words in rows.values()}
    assert "Inbox" == lines[1].split()[-1]
    assert max(map(len, lines[:-1])) <= columns
    assert lines[-1].startswith(f"All is well: {len(_PLAYED)} texts accepted")


@pytest.mark.slow
def test_broken_gateway(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a gateway accepts a text twice, the demo says whose it was and ends with code 1."""
    accept = SandboxState.accept

    def twice(self: SandboxState, gateway: str, *args: Any, **details: Any) -> Any:
        if gateway == "ugsms":
            accept(self, gateway, *args, **details)
        return accept(self, gateway, *args, **details)

    monkeypatch.setattr(SandboxState, "accept", twice)
    ran = cli("demo")
    assert (ran.code, ran.out.splitlines()[-1]) == (1, "NOT as promised: ugsms-v1, ugsms-v2")


@pytest.mark.slow
def test_undelivered(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery that does not come in time is not as promised, whoever took the text."""
    monkeypatch.setattr("iprog_async.cli._demo.command._DELIVERED_AFTER", 60.0)
    monkeypatch.setattr(scenario, "_WAIT", 0.3)
    ran = cli("demo", "--json")
    assert (ran.code, ran.json["ok"]) == (1, False)
    errors = {sent["error"]["type"] for sent in ran.json["texts"] if sent["error"]}
    assert {"WaitTimeoutError"} == errors
    assert {True} == {trouble["ok"] for trouble in ran.json["troubles"]}


class _Empty(Sandbox):
    """A sandbox that plays nobody."""

    @property
    def providers(self) -> tuple[str, ...]:
        """Name nobody."""
        return ()


async def test_nobody_to_play() -> None:
    """Without any adapter to show, the demo does not claim success."""
    async with _Empty() as sandbox:
        shown = await demonstrate(sandbox)
    assert (False, Demonstration([], [])) == (shown.ok, shown)


def test_nobody_in_words(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any adapter to show, the words are the verdict alone."""
    monkeypatch.setattr("iprog_async.sandbox.Sandbox", _Empty)
    ran = cli("demo")
    assert (1, "NOT as promised: no adapter has a sandbox\n") == (ran.code, ran.out)


def test_everything_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused texts are shown with the reason in the place of the status, never as a crash."""

    def refuse(self: object, *_: object, **__: object) -> None:
        raise SmsError("nothing works today")

    monkeypatch.setattr("iprog_async._client.client.SmsClient.send", refuse)
    ran = cli("demo")
    assert ran.code == 1
    assert "nothing works today" in " ".join(ran.out.split())


@pytest.mark.slow
def test_unexpected_success(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure on purpose that does not fail is not as promised."""
    monkeypatch.setattr(scenario, "BLOCKED_WORD", "lottery")
    ran = cli("demo")
    assert ran.code == 1
    assert "NOT as promised: a text that the gateway's filter stops" in ran.out


class _Nowhere(IprogProvider):
    """A gateway that reaches no number at all."""

    def _number(self, number: str) -> tuple[str, str]:
        raise SmsError("unreachable")


@pytest.mark.parametrize(
    ("provider", "number"),
    [
        (IprogProvider("sandbox-token"), "+639171234567"),
        (UgsmsV2Provider("sandbox-key"), "+256701234567"),
        (_Nowhere("sandbox-token"), "+639171234567"),
    ],
)
def test_number(provider: SmsProvider, number: str) -> None:
    """Each gateway gets the first number it can reach, and one that reaches none the first."""
    assert number == number_for(provider)
