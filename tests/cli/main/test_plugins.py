"""Providers of somebody else that are broken, in front of every command that looks at all."""

from __future__ import annotations

import pytest
from support.cli.runner import Cli

from iprog_async import provider_types


_OURS = list(provider_types())
_RAISING = "support.broken_plugins.raises:Provider"
_BARE = "support.broken_plugins:Bare"
_FAILING = "support.broken_plugins:Raising"
_MISPLAYED = "support.broken_plugins:Misplayed"
_LINES = {
    _RAISING: "the provider 'aardvark' can't be loaded: RuntimeError: half installed",
    _BARE: "the provider 'aardvark' is not whole: it has no scheme, capabilities",
    _FAILING: "the provider 'aardvark' can't be played by the sandbox: RuntimeError: no sandbox",
    _MISPLAYED: "the provider 'aardvark' can't be played by the sandbox: TypeError: sandbox() "
    "returned a str, no SandboxGateway",
}


@pytest.mark.parametrize("value", [_RAISING, _BARE])
def test_providers_goes_on(cli: Cli, plugins: dict[str, str], value: str) -> None:
    """The others have their rows, and one line says which plug-in is broken, and why."""
    plugins["aardvark"] = value

    ran = cli("providers", "--json")

    assert (0, _OURS) == (ran.code, [row["name"] for row in ran.json])
    assert ran.err.startswith(f"iprog-async: {_LINES[value]}")


def test_providers_shows_one_that_can_tell_nothing(cli: Cli, plugins: dict[str, str]) -> None:
    """A provider that fails when it is asked has a row with an open question."""
    plugins["aardvark"] = _FAILING

    first = cli("providers", "--json").json[0]

    assert ("aardvark", None) == (first["name"], first["max_batch"])


@pytest.mark.slow
@pytest.mark.parametrize("value", [_RAISING, _BARE, _FAILING, _MISPLAYED])
def test_demo_goes_on(cli: Cli, plugins: dict[str, str], value: str) -> None:
    """Everything is shown with the others, and one line names the broken plug-in."""
    plugins["aardvark"] = value

    ran = cli("demo", "--json")

    assert (0, True) == (ran.code, ran.json["ok"])
    assert "aardvark" not in {sent["provider"] for sent in ran.json["texts"]}
    assert ran.err.startswith(f"iprog-async: {_LINES[value]}")


@pytest.mark.slow
def test_demo_goes_on_after_one_that_breaks_at_work(
    cli: Cli, plugins: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that can't be built is not as promised, and stops none of the others."""

    def fail(*_: object) -> None:
        raise KeyError("no such setting")

    monkeypatch.setattr("iprog_async_providers.infopromo.InfopromoProvider.from_url", fail)

    ran = cli("demo", "--json")

    wrong = [sent for sent in ran.json["texts"] if not sent["ok"]]
    assert (1, ["infopromo"]) == (ran.code, [sent["provider"] for sent in wrong])
    assert "the plug-in broke: KeyError" in wrong[0]["error"]["message"]


@pytest.mark.usefixtures("_iprog")
@pytest.mark.parametrize("value", [_RAISING, _BARE])
def test_doctor_goes_on(cli: Cli, plugins: dict[str, str], value: str) -> None:
    """The doctor names the broken plug-in and tells of everything else."""
    plugins["aardvark"] = value

    ran = cli("doctor")

    assert (1, "") == (ran.code, ran.err)
    assert f"PROBLEM         {_LINES[value]}" in ran.out
    assert "configured      iprog on this machine, from SMS_URL" in ran.out


def test_a_plugin_that_fails_at_the_environment_is_left_out(
    cli: Cli, plugins: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that can't read the environment hides no other, and its words are not shown."""
    plugins["aardvark"] = "support.broken_plugins:Unreadable"

    nothing = cli("doctor")
    monkeypatch.setenv("IPROG_SMS_API_TOKEN", "sandbox-hidden-token")
    found = cli("doctor")

    assert "the provider 'aardvark' can't read the environment: KeyError" in nothing.out
    assert "configured      iprog, from credentials" in found.out
    assert "sandbox-hidden" not in nothing.out + found.out


def test_credentials_are_found_beside_a_broken_plugin(
    cli: Cli, plugins: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway configured by its own variables is found all the same."""
    plugins["aardvark"] = _RAISING
    monkeypatch.setenv("IPROG_SMS_API_TOKEN", "sandbox-hidden-token")

    assert "configured      iprog, from credentials" in cli("doctor").out
