from __future__ import annotations

import os
import sys
from pathlib import Path
from subprocess import run

import httpx
import pytest
from support.engines.tls import trusting
from support.engines.wire import BOTH, OK, TOKEN, EngineName, client_of, outcome
from support.settings import (
    BAD_FILES,
    BAD_FOLDERS,
    BAD_PROXIES,
    authorities,
    bad_file,
    bad_folder,
    bare_network,
    good_file,
    good_folder,
)

from iprog_async import ConfigurationError, Failover, HttpPool, Message, RunHaltedError, SmsClient
from iprog_async._engines.trust import default_ssl_context
from iprog_async.testing import RawGateway
from iprog_async_providers.iprog import IprogProvider


pytest.importorskip("httptools")

GATEWAY = "https://sms.example.test"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    bare_network(monkeypatch)


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("kind", BAD_FILES)
def test_file_of_certificates_that_is_none_is_named_as_a_client_is_made(
    kind: str, engine: EngineName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`SSL_CERT_FILE` is checked before anything can be sent; the error has path and reason."""
    path = bad_file(kind, tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", path)
    with pytest.raises(
        ConfigurationError, match=f"SSL_CERT_FILE='{path}'.*{BAD_FILES[kind]}"
    ) as no:
        client_of(GATEWAY, engine)
    with pytest.raises(ConfigurationError):
        HttpPool(engine=engine)

    assert not no.value.may_have_been_sent


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_file_of_certificates_of_somebody_else_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that this user may not read is told with the system's reason."""
    path = good_file(tmp_path)
    os.chmod(path, 0)
    monkeypatch.setenv("SSL_CERT_FILE", path)
    with pytest.raises(ConfigurationError, match=r"SSL_CERT_FILE=.*Permission denied"):
        client_of(GATEWAY, "httpx")


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("kind", BAD_FOLDERS)
def test_folder_in_which_openssl_finds_nothing_is_named_as_a_client_is_made(
    kind: str, engine: EngineName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL takes such a folder without a word and then trusts nobody, so we look at it."""
    path = bad_folder(kind, tmp_path)
    monkeypatch.setenv("SSL_CERT_DIR", path)
    with pytest.raises(ConfigurationError, match=f"SSL_CERT_DIR='{path}'.*{BAD_FOLDERS[kind]}"):
        client_of(GATEWAY, engine)


@pytest.mark.parametrize("engine", BOTH)
def test_log_of_keys_that_can_not_be_written_is_named(
    engine: EngineName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`SSLKEYLOGFILE` is read by Python's `ssl` itself, as each client is made."""
    monkeypatch.setenv("SSLKEYLOGFILE", f"{tmp_path}/nowhere/keys")
    with pytest.raises(ConfigurationError, match=r"SSLKEYLOGFILE=.*/nowhere/keys.*no such file"):
        client_of(GATEWAY, engine)


@pytest.mark.slow
def test_settings_that_openssl_refuses_are_named(tmp_path: Path) -> None:
    """OpenSSL reads its settings once in a process, and without them makes no context."""
    settings = tmp_path / "openssl.cnf"
    settings.write_text(
        "openssl_conf = a\n[a]\nproviders = b\n[b]\nc = d\n[d]\nmodule = /no.so\nactivate = 1\n"
    )
    program = "import iprog_async; iprog_async.HttpPool()"
    ran = run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        env={**os.environ, "OPENSSL_CONF": str(settings)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"ConfigurationError: OPENSSL_CONF='{settings}' in the environment" in ran.stderr


def test_incomplete_installation_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without certifi's file the error says what to install."""
    monkeypatch.setattr("certifi.where", lambda: "/nowhere/cacert.pem")
    monkeypatch.setattr("iprog_async._engines.trust._state", lambda: ("another",))
    with pytest.raises(ConfigurationError, match="reinstall certifi, or set SSL_CERT_FILE"):
        client_of(GATEWAY, "httpx")


@pytest.mark.parametrize("engine", BOTH)
def test_what_can_be_used_is_used(
    engine: EngineName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file, a folder, a list with one good folder and a log of keys make clients."""
    monkeypatch.setenv("SSL_CERT_FILE", good_file(tmp_path))
    client_of(GATEWAY, engine)
    assert 1 == authorities(default_ssl_context())
    # It is not read beside the file.
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    client_of(GATEWAY, engine)
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere:{good_folder(tmp_path)}")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    client_of(GATEWAY, engine)
    assert (tmp_path / "keys").exists()


def test_trust_that_was_loaded_is_not_remembered_beyond_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable set later, or a file changed later, counts for the next client."""
    client_of(GATEWAY, "httpx")
    path = Path(good_file(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    client_of(GATEWAY, "httpx")
    path.write_bytes(b"hello")
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        client_of(GATEWAY, "httpx")
    monkeypatch.delenv("SSL_CERT_FILE")
    client_of(GATEWAY, "httpx")

    assert authorities(default_ssl_context()) > 1


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy"])
@pytest.mark.parametrize("proxy", BAD_PROXIES)
def test_proxy_that_can_not_be_used_is_named_as_a_client_is_made(
    proxy: str, name: str, engine: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the variable and the reason, and no piece of a value that may be secret."""
    monkeypatch.setenv(name, proxy)
    with pytest.raises(ConfigurationError, match=f"^{name} .*in the environment") as no:
        client_of(GATEWAY, engine)

    assert BAD_PROXIES[proxy] in str(no.value)
    assert not [piece for piece in ("s3cret", "w0rd", "7891", "1080") if piece in str(no.value)]


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize(
    "settings",
    [
        {"HTTP_PROXY": "socks4://proxy.example"},
        {"HTTPS_PROXY": "socks4://proxy.example", "NO_PROXY": "example.test"},
        {"ALL_PROXY": "socks4://proxy.example", "no_proxy": "*"},
        {"FTP_PROXY": "nonsense"},
        {"HTTPS_PROXY": ""},
    ],
)
def test_proxy_that_is_not_for_the_gateway_is_no_matter(
    settings: dict[str, str], engine: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What requests to this gateway never read keeps no client from being made."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    client_of(GATEWAY, engine)


def test_proxy_of_one_kind_goes_before_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """As desktops set it: a SOCKS proxy for all that has no proxy of its own."""
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:7891/")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:p%40ss@127.0.0.1:7890/")
    client_of(GATEWAY, "httpx")


def test_proxy_of_any_member_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several gateways, each is one that texts go to."""
    monkeypatch.setenv("http_proxy", "socks4://proxy.example")
    members = (
        IprogProvider(TOKEN, base_url=GATEWAY),
        IprogProvider(TOKEN, base_url="http://b.example.test", name="b"),
    )
    with pytest.raises(ConfigurationError, match="http_proxy"):
        SmsClient(Failover(*members))
    with pytest.raises(ConfigurationError, match="http_proxy"):
        SmsClient(members[1], pool=HttpPool())


async def test_what_a_user_brings_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a trust and a client of the user's own, the variables are not read."""
    trust = trusting()
    async with httpx.AsyncClient(verify=trust) as http:
        monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
        monkeypatch.setenv("SSLKEYLOGFILE", "/nowhere/keys")
        client_of(GATEWAY, "httpx", verify=trust)
        client_of(GATEWAY, "asyncio", verify=trust)
        monkeypatch.setenv("HTTPS_PROXY", "socks4://proxy.example")
        SmsClient(IprogProvider(TOKEN, base_url=GATEWAY), http=http)


@pytest.mark.parametrize("engine", BOTH)
async def test_run_halts_at_once_when_the_environment_breaks_under_it(
    engine: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every text would meet it: nothing is sent, nothing is tried again, and the run says why."""
    async with RawGateway(OK) as gateway, client_of(gateway.base_url, engine) as client:
        monkeypatch.setenv("HTTP_PROXY", "socks5://proxy.example:1080")
        messages = [Message(f"+63917{number:07}", "Hi") for number in range(300)]
        async with client.send_many(messages, concurrency=4) as run:
            with pytest.raises(RunHaltedError, match="HTTP_PROXY"):
                await run.drain()

    assert isinstance(run.halted, ConfigurationError)
    assert (300, 0, 0) == (run.counts.not_sent, run.counts.unknown, gateway.connections)


async def test_asyncio_engine_uses_a_gateway_without_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`NO_PROXY` is what lets the fast engine work beside a proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:8080")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with RawGateway(OK) as gateway, client_of(gateway.base_url, "asyncio") as client:
        assert "iSms-1" == await outcome(client)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"SMS_URL": "iprog"}, "SMS_URL in the environment: an SMS address looks like"),
        ({"SMS_URL": "nope://T0KEN@"}, "SMS_URL in the environment: there is no provider"),
        ({"SMS_URL": "iprog://T0KEN@?rate=x"}, "SMS_URL"),
        ({"IPROG_SMS_API_TOKEN": " "}, "IPROG_SMS_API_TOKEN in the environment"),
        ({"IPROG_SMS_API_TOKEN": "T0K\nEN"}, "IPROG_SMS_API_TOKEN in the environment"),
        ({"UGSMS_API_KEY": "T0K\nEN"}, "UGSMS_API_KEY in the environment"),
        ({"UGSMS_USERNAME": "me"}, "UGSMS_USERNAME and UGSMS_PASSWORD"),
        ({"INFOPROMO_API_TOKEN": "T0KÉN"}, "INFOPROMO_API_TOKEN in the environment"),
        (
            {"INFOPROMO_API_TOKEN": "T0KEN", "INFOPROMO_SENDER_ID": "a\nb"},
            "INFOPROMO_API_TOKEN + INFOPROMO_SENDER_ID in the environment",
        ),
    ],
)
def test_bad_value_of_a_gateways_variable_names_the_variable(
    environ: dict[str, str], named: str
) -> None:
    """The error says where the value came from, and shows no credential."""
    with pytest.raises(ConfigurationError) as no:
        SmsClient.from_env(environ)

    assert named in str(no.value)
    assert "T0K" not in str(no.value)
