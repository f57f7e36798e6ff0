from __future__ import annotations

from pathlib import Path

import pytest
from support.cli.bulk import Bulk
from support.cli.runner import Cli
from support.settings import bad_file, bad_folder, bare_network, good_file

from iprog_async.sandbox import Sandbox


SEND = ("send", "+639171234567", "Hi")

WRONG = [
    ("SSL_CERT_FILE", "missing"),
    ("SSL_CERT_FILE", "not PEM"),
    ("SSL_CERT_DIR", "empty"),
    ("SSLKEYLOGFILE", "/nowhere/keys"),
    ("HTTP_PROXY", "socks5://me:s3cret@proxy.example:1080"),
    ("all_proxy", "me:s3cret@proxy.example:port"),
]


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    bare_network(monkeypatch)


def value_of(name: str, kind: str, folder: Path) -> str:
    """Return a value for a variable."""
    if name == "SSL_CERT_FILE":
        return bad_file(kind, folder)
    return bad_folder(kind, folder) if name == "SSL_CERT_DIR" else kind


@pytest.mark.usefixtures("_iprog")
@pytest.mark.parametrize(("name", "kind"), WRONG)
def test_setting_that_can_not_work_is_told_by_every_command(
    cli: Cli,
    sandbox: Sandbox,
    bulk: Bulk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    kind: str,
) -> None:
    """It ends with the code of configuration, names the variable, and nothing is sent."""
    monkeypatch.setenv(name, value_of(name, kind, tmp_path))
    rows = [(f"0917{number:07}", "Ana") for number in range(300)]
    for ran in (cli(*SEND), cli("balance"), bulk(rows, "--yes")):
        assert (3, True) == (ran.code, ran.err.startswith(f"iprog-async: {name}")), ran
        assert "Nothing was sent" in ran.err
        assert "s3cret" not in ran.err + ran.out
    assert [] == sandbox.inbox


@pytest.mark.usefixtures("_iprog")
@pytest.mark.parametrize(("name", "kind"), WRONG)
def test_doctor_says_what_to_fix(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    """A setting that can't work is a problem, in words and in JSON, and asks for nothing."""
    monkeypatch.setenv(name, value_of(name, kind, tmp_path))
    words, data = cli("doctor"), cli("doctor", "--json")
    asked = cli("doctor", "--check")

    assert [3, 3, 3] == [words.code, data.code, asked.code]
    assert f"PROBLEM         {name}" in words.out
    assert not data.json["healthy"]
    assert data.json["environment"][name]["problem"]
    assert "s3cret" not in words.out + data.out + asked.out


@pytest.mark.usefixtures("_iprog")
def test_doctor_shows_what_is_set_and_works(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each variable that is read is told with what it does; a proxy's value is not."""
    path = good_file(tmp_path)
    for name, value in (
        ("SSL_CERT_FILE", path),
        ("SSL_CERT_DIR", "/nowhere"),
        ("HTTPS_PROXY", "http://me:s3cret@proxy.example:8080"),
        ("NO_PROXY", "127.0.0.1, 10.0.0.0/8"),
    ):
        monkeypatch.setenv(name, value)
    ran = cli("doctor")

    assert 0 == ran.code
    for line in (
        f"SSL_CERT_FILE names the certificates to trust: {path}",
        "SSL_CERT_DIR is not read beside SSL_CERT_FILE: /nowhere",
        "HTTPS_PROXY names a proxy that speaks http",
        "10.0.0.0/8 matches none",
    ):
        assert line in " ".join(ran.out.split())
    assert not [piece for piece in ("s3cret", "proxy.example") if piece in ran.out]


@pytest.mark.usefixtures("_iprog")
def test_doctor_leaves_proxies_of_others_alone(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that the gateway is not reached through keeps nothing from being sent."""
    monkeypatch.setenv("HTTPS_PROXY", "socks4://proxy.example")
    assert 0 == cli("doctor").code
    assert 0 == cli(*SEND).code


def test_without_a_gateway_every_proxy_is_looked_at(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows yet which of them will be used."""
    monkeypatch.setenv("HTTPS_PROXY", "socks4://proxy.example")
    ran = cli("doctor")
    assert (3, True) == (ran.code, "PROBLEM         HTTPS_PROXY" in ran.out)


def test_bad_address_names_its_variable(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """`SMS_URL` is named where it came from there, and not where `--url` was given."""
    monkeypatch.setenv("SMS_URL", "s3cret")
    told, doctor = cli("balance"), cli("doctor")
    assert (3, True) == (told.code, "SMS_URL in the environment" in told.err)
    assert (3, False) == (doctor.code, "s3cret" in doctor.out + told.err)
    assert "in the environment" not in cli("balance", "--url", "s3cret").err
