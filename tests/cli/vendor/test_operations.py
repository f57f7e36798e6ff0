from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.cli.runner import Cli
from support.cli.vendor import Vendors

from iprog_async import provider_from_url, provider_types
from iprog_async.cli._base.command_table import EXAMPLES
from iprog_async.sandbox import Sandbox


# Those that reach an operation of a vendor's own; `send --at` makes a reminder.
_HELPS = [["--help"], ["otp", "--help"], ["contacts", "groups", "--help"]]
_GROUPS = ("otp", "reminder", "campaign", "messages", "contacts", "me", "keys", "detect")
_COMMANDS = [command for command in EXAMPLES if command.split()[0] in _GROUPS or command == "send"]


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Give a sandbox of this module's own: examples revoke its keys."""
    with Sandbox(delivered_after=0) as sandbox:
        yield sandbox


# What `journal follow` asks, for which a vendor's own command would have no use.
_OF_A_JOURNAL = {"messages.pages"}


def _operations(place: str, value: object) -> Iterator[tuple[str, type[Any], str]]:
    """Yield the methods of a vendor's operation, and of what it has inside."""
    for name in dir(value):
        inner: object = None if name.startswith("_") else getattr(value, name)
        if inspect.ismethod(inner):
            yield f"{place}.{name}", type(value), name
        elif inner is not None:
            yield from _operations(f"{place}.{name}", inner)


def _all_operations(sandbox: Sandbox) -> dict[str, list[tuple[type[Any], str]]]:
    """Return every operation of every adapter, with the classes and names that have it."""
    found: dict[str, list[tuple[type[Any], str]]] = {}
    for name in sandbox.providers:
        provider: Any = provider_from_url(sandbox.address(name))
        for attribute in provider.capabilities.operations:
            value: object = getattr(provider, attribute)
            if inspect.ismethod(value):
                cls: type[Any] = provider.__class__
                found.setdefault(attribute, []).append((cls, attribute))
                continue
            for operation, desk, method in _operations(attribute, value):
                found.setdefault(operation, []).append((desk, method))
    return found


def _recorder(original: Callable[..., Any], called: set[str], operation: str) -> Callable[..., Any]:
    def record(*args: Any, **kwargs: Any) -> Any:
        called.add(operation)
        return original(*args, **kwargs)

    return record


@pytest.mark.slow
def test_every_operation_has_a_command(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Together, the examples of the commands call every operation of every adapter."""
    operations = _all_operations(vendors.sandbox)
    called: set[str] = set()
    for operation, places in operations.items():
        for cls, name in set(places):
            recorder = _recorder(getattr(cls, name), called, operation)
            monkeypatch.setattr(cls, name, recorder)
    for command in _COMMANDS:
        tokens = vendors.example(command)
        Path("new.key").unlink(missing_ok=True)
        assert (command, 0) == (command, vendors(*tokens).code)

    assert len(operations) > 20
    assert _OF_A_JOURNAL == set(operations) - called


def test_every_operation_is_in_the_capabilities() -> None:
    """No adapter has a public property that is neither everyone's nor one of its operations."""
    for name, cls in provider_types().items():
        properties = {
            attribute
            for attribute in dir(cls)
            if isinstance(getattr(cls, attribute), property) and not attribute.startswith("_")
        }
        assert (name, set()) == (name, properties - {"batching", *cls.capabilities.operations})


@pytest.mark.parametrize("command", [command for command in _COMMANDS if command != "send"])
def test_examples(vendors: Vendors, command: str) -> None:
    """The example at the end of a command's help does what it says, in words and in JSON."""
    tokens = vendors.example(command)
    words = vendors(*tokens)
    Path("new.key").unlink(missing_ok=True)
    fresh = vendors.example(command)
    data = vendors(*fresh, *([] if "--json" in fresh else ["--json"]))

    assert (0, "", True) == (words.code, words.err, bool(words.out))
    assert (0, "", True) == (data.code, data.err, isinstance(data.json, dict | list))


@pytest.mark.parametrize(
    ("tokens", "gateway", "able"),
    [
        (["otp", "send", "0917"], "ugsms-v2", "iprog"),
        (["otp", "list"], "infopromo", "iprog"),
        (["reminder", "get", "1"], "ugsms-v1", "iprog"),
        (["detect", "0917"], "infopromo", "iprog"),
        (["campaign", "show", "1"], "iprog", "infopromo, infopromo-http, ultimatesms"),
        (["messages", "list"], "iprog", "infopromo, infopromo-http, ultimatesms"),
        (["contacts", "groups", "list"], "iprog", "infopromo, infopromo-http, ultimatesms"),
        (["contacts", "list", "1"], "ugsms-v1", "infopromo, infopromo-http, ultimatesms"),
        (["me"], "iprog", "infopromo, infopromo-http, ultimatesms"),
        (["keys", "revoke", "--yes"], "iprog", "ugsms-v1, ugsms-v2"),
    ],
)
def test_gateways_that_can(vendors: Vendors, tokens: list[str], gateway: str, able: str) -> None:
    """A gateway that has no such operation is told with those that have it."""
    ran = vendors(*tokens, gateway=gateway)

    assert (2, "") == (ran.code, ran.out)
    assert ran.err.startswith(f"iprog-async: {gateway} has no ")
    assert f"gateways that have: {able}" in ran.err


def test_operation_of_a_member(cli: Cli, sandbox: Sandbox) -> None:
    """Of several gateways, the one that has the operation is asked."""
    both = f"{sandbox.address('infopromo')} || {sandbox.address('iprog')}"

    assert "09171234567: Globe/TM\n" == cli("detect", "09171234567", "--url", both).out
    assert "first_name: Sandbox" in cli("me", "--url", both).out.splitlines()
    made = cli("reminder", "create", "09171234567", "hi", "--at", "2099-01-01 08:00", "--url", both)
    assert made.out.splitlines()[0].endswith("for 2099-01-01 08:00 (Asia/Manila)")


def test_operation_of_several_members(cli: Cli, sandbox: Sandbox) -> None:
    """Of two gateways that have the operation, one has to be chosen."""
    both = f"{sandbox.address('infopromo')} || {sandbox.address('infopromo-http')}"
    ran = cli("me", "--url", both)

    assert 2 == ran.code
    assert "several gateways of failover" in ran.err
    assert ran.err.endswith("infopromo, infopromo-http; choose one with --url\n")


def test_operation_of_no_member(cli: Cli, sandbox: Sandbox) -> None:
    """Of several gateways that all lack the operation, those that have it are told."""
    both = f"{sandbox.address('ugsms-v1')} || {sandbox.address('ugsms-v2')}"
    ran = cli("detect", "09171234567", "--url", both)

    assert (2, True) == (ran.code, "gateways that have: iprog" in ran.err)


def test_not_configured(cli: Cli) -> None:
    """Without a gateway a vendor's command ends like any other."""
    ran = cli("otp", "list")
    assert (3, True) == (ran.code, "no gateway is configured" in ran.err)


@pytest.mark.slow
@pytest.mark.parametrize("tokens", _HELPS)
def test_help_loads_no_provider(tokens: list[str]) -> None:
    """Help is shown without importing an adapter or an HTTP library."""
    code = (
        f"import sys; from iprog_async.cli import main; main({tokens!r});"
        "print([m for m in ('httpx', 'phonenumbers', 'iprog_async_providers') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    assert "[]" == ran.stdout.splitlines()[-1]
