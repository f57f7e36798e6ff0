from __future__ import annotations

import inspect
from importlib import metadata

import pytest
from support.cli.runner import Cli

from iprog_async import ConfigurationError, HttpPool, provider_types
from iprog_async.cli._base import extras
from iprog_async.cli._doctor import inventory
from iprog_async.cli._doctor.engines import engines_data
from iprog_async.sandbox import Sandbox


@pytest.mark.usefixtures("_iprog")
def test_words(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A healthy installation is told with versions, and the gateway by its name and host alone."""
    monkeypatch.setenv("UGSMS_API_KEY", "sandbox-hidden-key")
    ran = cli("doctor")
    assert (ran.code, ran.err) == (0, "")
    for words in (
        f"iprog-async     {metadata.version('iprog-async')}, Python 3",
        f"httpx {metadata.version('httpx')}",
        f"starlette {metadata.version('starlette')}",
        f"providers       {', '.join(provider_types())}",
        "variables       SMS_URL is set, UGSMS_API_KEY is set",
        "address         iprog://*** from SMS_URL",
        "configured      iprog on this machine, from SMS_URL",
    ):
        assert words in ran.out
    assert "sandbox-" not in ran.out


@pytest.mark.usefixtures("_iprog")
def test_json(cli: Cli, sandbox: Sandbox) -> None:
    """The JSON has the same facts, and no gateway was asked."""
    ran = cli("doctor", "--json")
    assert (ran.code, ran.json["healthy"], ran.json["gateway"]) == (0, True, None)
    assert {
        "httpx": {"name": "httpx", "package": "httpx", "version": metadata.version("httpx")},
        "asyncio": {
            "name": "asyncio",
            "package": "httptools",
            "version": metadata.version("httptools"),
        },
    } == ran.json["engines"]
    assert ran.json["configuration"] == {
        "source": "SMS_URL",
        "variables": ["SMS_URL"],
        "scheme": "iprog",
        "provider": "iprog",
        "gateway": {
            "name": "iprog",
            "members": [],
            "region": None,
            "hosts": {"iprog": sandbox.url.removeprefix("http://")},
        },
        "problem": None,
    }


_PROXIES: list[tuple[dict[str, str], list[str], str]] = [
    ({}, [], "asyncio"),
    ({"https_proxy": "http://user:sandbox-hidden@proxy"}, ["https"], "httpx"),
    ({"no_proxy": "localhost"}, [], "asyncio"),
]


@pytest.mark.parametrize(("environ", "named", "engine"), _PROXIES)
def test_engines(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    named: list[str],
    engine: str,
) -> None:
    """The doctor says which engine is used where; a proxy, never shown, makes bulk use httpx."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    ran, data = cli("doctor"), cli("doctor", "--json").json

    httptools = metadata.version("httptools")
    assert f"httpx ({metadata.version('httpx')}), asyncio (httptools {httptools})" in ran.out
    assert f"by a client httpx, unless it is given another; by bulk {engine}" in ran.out
    assert bool(named) == ("the environment names a proxy (https)" in ran.out)
    assert ("httpx", engine, named) == (
        data["default_engine"],
        data["bulk_engine"],
        data["proxies"],
    )
    assert "sandbox-hidden" not in ran.out


def test_engine_of_a_client() -> None:
    """What the doctor calls the engine of a client is the one that it has."""
    default = inspect.signature(HttpPool).parameters["engine"].default
    assert engines_data()["default_engine"] == default


def test_engine_that_is_not_installed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the doctor says what installs the fast engine, and bulk uses the other."""

    def version(package: str) -> str:
        if package == "httptools":
            raise metadata.PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr("iprog_async.cli._options.engine.find_spec", {"httptools": None}.get)
    out = cli("doctor").out
    assert 'asyncio (not installed: pip install "iprog-async[fast]")' in out
    assert "by bulk httpx\n" in out


def test_several_gateways(cli: Cli) -> None:
    """Of several gateways the names are told, and where national numbers are read."""
    both = "iprog://sandbox-hidden@ || ugsms-v2://sandbox-hidden@"
    words = cli("doctor", "--url", f"({both})?region=PH").out
    data = cli("doctor", "--json", "--url", both)

    line = "configured      failover of iprog, ugsms-v2; national numbers of PH, from --url"
    assert line in words.splitlines()
    assert {
        "name": "failover",
        "members": ["iprog", "ugsms-v2"],
        "region": None,
        "hosts": {},
    } == data.json["configuration"]["gateway"]
    assert "sandbox-hidden" not in words + data.out


def test_credentials(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of one gateway are enough."""
    monkeypatch.setenv("IPROG_SMS_API_TOKEN", "sandbox-hidden-token")
    ran = cli("doctor")
    assert (ran.code, "configured      iprog, from credentials" in ran.out) == (0, True)


def test_nothing_configured(cli: Cli) -> None:
    """Without a gateway the doctor says what to set, and ends with the code of configuration."""
    ran = cli("doctor")
    assert (ran.code, "variables       none set" in ran.out) == (3, True)
    assert "PROBLEM         no gateway is configured; set SMS_URL" in ran.out


@pytest.mark.parametrize(
    ("address", "scheme"),
    [
        ("iprog://@", "iprog"),
        ("iprog://sandbox-hidden@?bogus=1", "iprog"),
        ("sandbox-hidden", None),
    ],
)
def test_bad_address(cli: Cli, address: str, scheme: str | None) -> None:
    """A bad address is a problem with its reason; the address is not shown."""
    ran = cli("doctor", "--json", "--url", address)
    configuration = ran.json["configuration"]
    assert (3, "--url", scheme) == (ran.code, configuration["source"], configuration["scheme"])
    assert configuration["problem"]["type"] == "ConfigurationError"
    assert "sandbox-hidden" not in ran.out


@pytest.mark.usefixtures("_iprog")
def test_check(cli: Cli) -> None:
    """`--check` asks for the balance."""
    ran = cli("doctor", "--check")
    assert (ran.code, "gateway         answers, balance 1000" in ran.out) == (0, True)


def test_check_with_a_wrong_token(cli: Cli, sandbox: Sandbox) -> None:
    """`--check` finds out that the credentials are wrong."""
    address = sandbox.address("iprog").replace("sandbox-iprog-token", "wrong-iprog-token")
    ran = cli("doctor", "--check", "--json", "--url", address)
    assert (ran.code, ran.json["healthy"]) == (3, False)
    assert ran.json["gateway"]["problem"]["type"].startswith(("Auth", "Credentials"))
    assert "wrong-iprog-token" not in ran.out


def test_check_without_balance(cli: Cli, sandbox: Sandbox) -> None:
    """A gateway without a balance can't be checked, which is no fault."""
    ran = cli("doctor", "--check", "--url", sandbox.address("ugsms-v1"))
    assert (ran.code, "it tells no balance" in ran.out) == (0, True)


def test_check_needs_a_provider(cli: Cli) -> None:
    """Without a gateway there is nobody to ask."""
    ran = cli("doctor", "--check", "--json")
    assert (ran.code, ran.json["gateway"]) == (3, None)


@pytest.mark.usefixtures("_iprog")
def test_broken_plugin(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in that can't be loaded is named, hides no other, and is not healthy."""

    def broken(name: str) -> object:
        if name == "ugsms-v2":
            raise ConfigurationError("the provider 'ugsms-v2' can't be loaded: no such module")
        return provider_types()[name]

    monkeypatch.setattr(inventory, "provider_type", broken)
    ran = cli("doctor")
    assert (ran.code, "PROBLEM         the provider 'ugsms-v2'" in ran.out) == (1, True)
    assert "configured      iprog" in ran.out


def test_missing_extra(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra that is not installed comes with the line that installs it."""

    def version(package: str) -> str:
        if package == "uvicorn":
            raise metadata.PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(metadata, "version", version)
    assert 'not installed (optional): pip install "iprog-async[sandbox]"' in cli("doctor").out
    extra = cli("doctor", "--json").json["extras"]["sandbox"]
    assert extra["packages"] == {"starlette": "1.0", "uvicorn": None}


def test_source_folder(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package's metadata the doctor says that it is not installed."""

    def unknown(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", unknown)
    monkeypatch.setattr(metadata, "requires", unknown)
    assert "iprog-async     (not installed as a package)" in cli("doctor").out


def test_hints_agree_with_the_metadata() -> None:
    """The modules that a missing-extra hint knows are those of the extra."""
    for extra in ("cli", "sandbox"):
        packages = set(inventory.packages_of(extra))
        assert packages == {name for name in packages if extras.extra_of(name) == extra}
        assert packages
    assert {"cli", "sandbox", "fast"} <= set(
        metadata.metadata("iprog-async").get_all("Provides-Extra") or ()
    )
