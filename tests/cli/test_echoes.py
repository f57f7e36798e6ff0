"""A credential that somebody wrote in the wrong place of a command line."""

from __future__ import annotations

import pytest
from support.cli.runner import Cli

from iprog_async.cli._base.command_table import COMMANDS
from iprog_async.cli._errors.veil import veil
from iprog_async.testing._contract.secret_finder import leaks


SECRETS = (
    "17|t0kenS3cretXyz9",
    "9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c",
    "sandbox-iprog-token",
    "3f2b8c1e-77aa-4c1d-9e0f-1b2c3d4e5f60",
    "kJ8sQ2pLx0Zt",
)
# As it is, and in addresses.
WAYS = ("{}", "iprog://{}@", "iprog://x@?api_token={}", "ugsms-v1://shop:{}@host", "{}")
# Where it may stand; the command is the first word of each.
PLACES = (
    "{0}",
    "--{0}",
    "--{0}=3",
    "-{0}",
    "send {0} hi",
    "send 09171234567 hi {0}",
    "send --{0}",
    "send 09171234567 hi --url {0}",
    "send 09171234567 hi --timeout {0}",
    "send 09171234567 hi --sender-id {0}",
    "send 09171234567 hi --at {0}",
    "send 09171234567 hi --option {0}",
    "send 09171234567 hi --option sms_provider={0}",
    "send 09171234567 hi --option {0}=1",
    "bulk {0} --text Hi",
    "bulk --text Hi --rate {0}",
    "bulk x.csv --text Hi --suppress {0} --dry-run",
    "bulk x.csv --text Hi --max-credits {0}",
    "bulk x.csv --text @{0}",
    "status {0}",
    "balance --url {0}",
    "balance --url={0}",
    "otp {0}",
    "otp verify {0}",
    "otp verify 12 {0}",
    "reminder show {0} {0}",
    "reminder create 09171234567 hi --at {0}",
    "journal show {0}",
    "journal export {0} {0}",
    "contacts groups {0}",
    "keys generate --output {0}/x --show",
    "keys generate --expiry-days {0}",
    "count hi {0}",
    "completion {0}",
    "sandbox --port {0}",
    "doctor {0}",
    "providers --{0}",
    *(f"{command} x y z {{0}}" for command in COMMANDS if command not in ("demo", "sandbox")),
    *(f"{command} --no-such-thing {{0}}" for command in COMMANDS),
)


@pytest.mark.parametrize(
    "steps", [range(2), pytest.param(range(2, 5), marks=pytest.mark.slow)], ids=["some", "others"]
)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.usefixtures("_configured")
def test_a_credential_in_the_wrong_place_is_not_repeated(
    cli: Cli, place: str, steps: range
) -> None:
    """Neither alone nor in an address, in no line and no JSON, whichever command is called."""
    # Each kind of secret in another way; which one in which, differs from place to place.
    turn = PLACES.index(place)
    for step in steps:
        secret = SECRETS[step]
        given = WAYS[(turn + step) % len(WAYS)].format(secret)
        ran = cli.run([*place.format(given).split(), *["--json"][: step % 2]])

        assert ran.code != 0
        assert leaks([ran.out, ran.err], [secret]) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sned", "sned"),
        ("send 0917 123 4567 hi", "does not expect 4567 hi"),
        ("send 0917x hi", "'0917x'"),
        ("bulk x.csv --text Hi --allow-change-text", "--allow-change-text"),
        ("status iSms-2GfhbG", "'iSms-2GfhbG' is no reference"),
        ("bulk customers20261128.csv --text Hi", "customers20261128.csv"),
        ("bulk ./june/people_who_ordered_in_may.csv --text Hi", "people_who_ordered_in_may.csv"),
        ("send 09171234567 hi --at 2020-01-01T10:00", "2020-01-01T10:00"),
        ("sandbox --port many", "many"),
    ],
)
@pytest.mark.usefixtures("_configured")
def test_what_is_no_credential_is_repeated(cli: Cli, line: str, words: str) -> None:
    """Numbers, times, files, references and slips are named, so that they can be found."""
    ran = cli(*line.split())

    assert (True, False) == (words in ran.err, "***" in ran.err)


@pytest.fixture
def _configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMS_URL", "iprog://configured@?base_url=http://127.0.0.1:9")


def test_an_address_that_was_made_a_path_is_not_repeated() -> None:
    """Where a file belongs, the two strokes of an address are one, and a short token stays."""
    line = veil("there is no file 'iprog:/S3cr@'", ["journal", "show", "iprog://S3cr@"])

    assert "there is no file 'iprog://***'" == line


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://sms_sender_of_shop@db.internal/sms", None),
        ("postgresql://db.internal/sms?schema=sms_of_the_shop", None),
        ("postgresql://sms:s3cret-and-long@db.internal/sms", "postgresql://***"),
        ("postgresql://db.internal/sms?password=s3cret-and-long", "postgresql://***"),
        ("iprog://4f1c2d3e4b5a69788796c8@", "iprog://***"),
    ],
)
def test_an_address_without_a_password_is_shown(address: str, shown: str | None) -> None:
    """Who reads that a database can't be reached sees which one, if no password is in it."""
    line = f"can't reach the journal {address}"
    assert f"can't reach the journal {shown or address}" == veil(line, ["show", address])
