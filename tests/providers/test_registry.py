from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest
from support.core.fakes import FakeProvider

from iprog_async import ConfigurationError, provider_from_env, provider_from_url, provider_types
from iprog_async._providers import registry
from iprog_async._providers.registry import provider_names, provider_type


FAKE = "support.core.fakes:FakeProvider"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Entry points as a test wants them: name to object."""
    points: dict[str, str] = {"fake": FAKE}

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group) for name, value in points.items()]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    registry._entries.cache_clear()  # pyright: ignore[reportPrivateUsage] - its only memory
    yield points
    registry._entries.cache_clear()  # pyright: ignore[reportPrivateUsage] - its only memory


def test_built_in_adapters_are_found_by_entry_points() -> None:
    """Ours enter by the same door as anyone else's."""
    assert "iprog" in provider_names()
    assert "IprogProvider" == provider_type("iprog").__name__


def test_names_are_sorted_whatever_the_order_of_installation(installed: dict[str, str]) -> None:
    """What is listed does not depend on the machine."""
    installed["aardvark"] = FAKE

    assert ("aardvark", "fake") == provider_names()
    assert {"aardvark": FakeProvider, "fake": FakeProvider} == provider_types()


def test_unknown_provider_names_those_there_are(installed: dict[str, str]) -> None:
    """A misspelt scheme is answered with the names."""
    with pytest.raises(ConfigurationError, match="'fke'; installed are fake"):
        provider_from_url("fke://T@")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("no_such_module_here:X", "can't be loaded"),
        ("support.core.fakes:Missing", "can't be loaded"),
        ("support.core.fakes:accept", "no subclass of BaseProvider"),
        ("json:JSONDecoder", "no subclass of BaseProvider"),
        ("support.broken_plugins.raises:Provider", "can't be loaded: RuntimeError: half installed"),
        ("support.broken_plugins:Bare", "is not whole: it has no scheme, capabilities"),
        ("support.broken_plugins:Abstract", "is not whole: it has no from_url"),
    ],
)
def test_broken_plug_in_is_named(installed: dict[str, str], value: str, why: str) -> None:
    """Whose fault it is can be read from the error."""
    installed["broken"] = value

    with pytest.raises(ConfigurationError, match=f"'broken' .*{why}|'broken' {why}"):
        provider_type("broken")


def test_a_broken_plug_in_hides_no_other(
    installed: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """The others are there, and the log says what is wrong with the broken one."""
    installed["broken"] = "support.broken_plugins.raises:Provider"

    assert {"fake": FakeProvider} == provider_types()
    assert ["the provider 'broken' can't be loaded: RuntimeError: half installed"] == [
        record.getMessage() for record in caplog.records
    ]


def test_a_broken_plug_in_does_not_stop_the_search_of_the_environment(
    installed: dict[str, str],
) -> None:
    """Another gateway's credentials are found; only where nothing is, the plug-in is named."""
    installed["broken"] = "support.broken_plugins.raises:Provider"
    installed["iprog"] = "iprog_async_providers.iprog:IprogProvider"

    assert "iprog" == provider_from_env({"IPROG_SMS_API_TOKEN": "T0KEN"}).name
    with pytest.raises(ConfigurationError, match="IPROG_SMS_API_TOKEN; the provider 'broken'"):
        provider_from_env({})


def test_address_in_the_environment_wins() -> None:
    """`SMS_URL` says which gateway is meant, whatever else is set."""
    env = {"SMS_URL": "iprog://T0KEN@?name=shop", "UGSMS_API_KEY": "k3y-k3y"}

    assert "shop" == provider_from_env(env).name


def test_only_credentials_that_are_set_choose_the_gateway() -> None:
    """One gateway's own variable is enough."""
    assert "iprog" == provider_from_env({"IPROG_SMS_API_TOKEN": "T0KEN", "SMS_URL": " "}).name


def test_credentials_of_several_gateways_are_ambiguous() -> None:
    """The error names both and shows no credential."""
    env = {"IPROG_SMS_API_TOKEN": "T0KEN", "INFOPROMO_API_TOKEN": "1|T0KEN"}

    with pytest.raises(ConfigurationError, match=r"infopromo.*iprog.*SMS_URL") as caught:
        provider_from_env(env)

    assert "T0KEN" not in str(caught.value)


def test_empty_environment_lists_what_could_be_set() -> None:
    """Nothing configured is answered with the names of the variables."""
    with pytest.raises(ConfigurationError, match=r"SMS_URL.*IPROG_SMS_API_TOKEN"):
        provider_from_env({})


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument the environment is that of the process."""
    monkeypatch.setenv("SMS_URL", "iprog://T0KEN@?name=from-env")

    assert "from-env" == provider_from_env().name


def test_adapter_that_reads_no_environment_is_passed_over() -> None:
    """By default an adapter is configured by address alone, and plays no part in the sandbox."""
    assert FakeProvider.from_env({"FAKE_TOKEN": "x"}) is None
    assert FakeProvider.sandbox() is None
