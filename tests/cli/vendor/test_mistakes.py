from __future__ import annotations

import pytest
from support.cli.vendor import MOBILE, PHONE, Vendors

from iprog_async.cli._base.command_table import EXAMPLES


_AT = ["--at", "2099-01-31 08:00"]
_MISTAKES: list[tuple[list[str], str]] = [
    (["send", MOBILE, "hi", "--tz", "Moon"], "--tz 'Moon' is no time zone"),
    (["send", MOBILE, "hi", "--at", "2020-01-31 08:00"], "is in the past"),
    (["otp", "send"], "TO"),
    (["otp", "send", "12"], "'12' is too short"),
    (["otp", "send", MOBILE, "--template", "hello"], "has no :otp for the code"),
    (["otp", "send", MOBILE, "--code-length", "3"], "--code-length is 4 to 10, not 3"),
    (["otp", "send", MOBILE, "--code-length", "many"], "--code-length"),
    (["otp", "send", MOBILE, "--expires-in-minutes", "61"], "--expires-in-minutes is 1 to 60"),
    (["otp", "verify", MOBILE], "CODE"),
    (["otp", "verify", MOBILE, " "], "the code is empty"),
    (["otp", "verify", "12", "123456"], "'12' is too short"),
    (["otp", "list", "--hide"], "--hide"),
    (["reminder", "create", MOBILE, "hi"], "--at"),
    (["reminder", "create", "12", "hi", *_AT], "'12' is too short"),
    (["reminder", "create", MOBILE, " ", *_AT], "is empty"),
    (["reminder", "create", MOBILE, "hi", "--at", "soon"], "--at 'soon' is no time"),
    (["reminder", "create", MOBILE, "hi", "--at", "2020-01-31 08:00"], "is in the past"),
    (["reminder", "create", MOBILE, "hi", *_AT, "--tz", "Manila"], "like Asia/Manila"),
    (
        ["reminder", "create", MOBILE, "hi", "--at", "2027-03-28 02:30", "--tz", "Europe/Berlin"],
        "is never shown in Europe/Berlin",
    ),
    (
        ["reminder", "create", MOBILE, "hi", "--at", "2027-10-31 02:30", "--tz", "Europe/Berlin"],
        "is there twice in Europe/Berlin",
    ),
    (["reminder", "get", ".."], "'..' is no id of a reminder"),
    (["reminder", "get", "1", "--tz", "Moon"], "--tz 'Moon' is no time zone"),
    (["reminder", "update", "1"], "give at least one of --to, --text and --at"),
    (["reminder", "update", "1", "--to", "12"], "'12' is too short"),
    (["reminder", "update", "1", "--text", " "], "is empty"),
    (["reminder", "update", "1", "--at", "1700000000"], "--at '1700000000' is no time"),
    (["reminder", "update", "1", "--text", "hi", "--tz", "Moon"], "--tz 'Moon' is no time zone"),
    (["reminder", "delete", "..", "--yes"], "'..' is no id of a reminder"),
    (["reminder", "delete", "1"], "add --yes to do it"),
    (["campaign", "send", " , ", "hi"], "at least one contact group"),
    (["campaign", "send", "1", " ", "--yes"], "is empty"),
    (["campaign", "send", "1", "hi", "--yes", "--from", "A" * 12], "11 is the most"),
    (["campaign", "send", "1", "hi", "--at", "yesterday"], "--at 'yesterday' is no time"),
    (["campaign", "send", "1", "hi", "--tz", "Moon"], "--tz 'Moon' is no time zone"),
    (["campaign", "send", "1", "hi", "--option", "unicode"], "is not written like type=unicode"),
    (["campaign", "send", "1", "hi", "--option", "colour=red"], "it has: type, dlt_template_id"),
    (["campaign", "send", "1", "hi", "--option", "type=loud"], "it is one of plain, unicode"),
    (["send", MOBILE, "hi", "--option", "sms_provider=7"], "sms_provider=7: it is one of 0, 1, 2"),
    (["send", MOBILE, "hi", "--option", "type=voice"], "it has: sms_provider"),
    (["campaign", "show", "."], "'.' is no id of a campaign"),
    (["messages", "list", "--start", "2026-13-01"], "'2026-13-01': there is no such date"),
    (["messages", "list", "--direction", "sideways"], "--direction"),
    (
        ["messages", "list", "--start", "2026-11-02", "--end", "2026-11-01", "--tz", "UTC"],
        "--start (2026-11-02T00:00:00+00:00) is after --end (2026-11-01T23:59:59+00:00)",
    ),
    (["messages", "list", "--end", "never"], "--end 'never' is no time"),
    (["messages", "list", "--tz", "Moon"], "--tz 'Moon' is no time zone"),
    (["messages", "list", "--limit", "-1"], "--limit"),
    (["messages", "show", ".."], "'..' is no id of a message"),
    (["contacts", "list", ".."], "'..' is no id of a contact group"),
    (["contacts", "list"], "GROUP"),
    (["contacts", "add", "1", "12"], "'12'"),
    (["contacts", "add", "1", PHONE, "--field", "Ada"], "--field 'Ada' is not written like"),
    (["contacts", "add", "1", PHONE, "--field", "=Ada"], "--field '=Ada' is not written like"),
    (["contacts", "add", "1", PHONE, "--field", "phone=1"], "--field PHONE: the number is"),
    (["contacts", "show", "1", ".."], "'..' is no id of a contact"),
    (["contacts", "update", "1", "2", "12"], "'12'"),
    (["contacts", "delete", "1", "..", "--yes"], "'..' is no id of a contact"),
    (["contacts", "delete", "1", "2"], "add --yes to do it"),
    (["contacts", "groups", "list", "--limit", "all"], "--limit"),
    (["contacts", "groups", "create", " "], "the contact group's name is empty"),
    (["contacts", "groups", "show", ".."], "'..' is no id of a contact group"),
    (["contacts", "groups", "rename", "1", " "], "the contact group's name is empty"),
    (["contacts", "groups", "delete", "..", "--yes"], "'..' is no id of a contact group"),
    (["contacts", "groups", "delete", "1"], "add --yes to do it"),
    (["contacts", "group", "list"], "contacts --help"),
    (["me", "too"], "me --help"),
    (["keys", "generate"], "add --show to print it, or --output FILE"),
    (["keys", "generate", "--show", "--expiry-days", "0"], "--expiry-days is 1 to 365, not 0"),
    (["keys", "generate", "--output", "no/such/folder"], "--output 'no/such/folder' can't be made"),
    (["keys", "regenerate", "--yes"], "add --show to print it, or --output FILE"),
    (["keys", "regenerate", "--show"], "add --yes to do it"),
    (["keys", "revoke"], "add --yes to do it"),
    (["keys", "revoke", "me", "--yes"], "keys revoke --help"),
    (["detect", "12"], "'12' is too short"),
    (["detect"], "NUMBER"),
    (["completion", "tcsh"], "completion --help"),
]


@pytest.mark.parametrize(("tokens", "words"), _MISTAKES)
def test_mistakes(vendors: Vendors, tokens: list[str], words: str) -> None:
    """A mistake is one line that names it in terms of the command line, and exit code 2."""
    ran = vendors(*tokens)

    assert (2, "", []) == (ran.code, ran.out, list(vendors.sandbox.inbox))
    assert words in ran.err


@pytest.mark.parametrize(("tokens", "words"), _MISTAKES)
def test_mistakes_in_json(vendors: Vendors, tokens: list[str], words: str) -> None:
    """With `--json` the same line is in an error object."""
    ran = vendors(*tokens, "--json")

    assert (2, "", False) == (ran.code, ran.err, ran.error["may_have_been_sent"])
    assert words in ran.error["message"]


def test_every_command_has_a_mistake() -> None:
    """The table above leaves out none of the commands."""
    groups = {tokens[0] for tokens, _ in _MISTAKES}
    tried = {" ".join(tokens) for tokens, _ in _MISTAKES}
    commands = [command for command in EXAMPLES if command.split()[0] in groups]

    assert [] == [
        command
        for command in commands
        if not any(f"{line} ".startswith(f"{command} ") for line in tried)
    ]


def test_a_gateway_that_names_no_zone(vendors: Vendors) -> None:
    """Where the gateway has no zone of its own, a time without one is asked for it."""
    group = vendors.group()
    address = vendors.sandbox.address("infopromo").replace("&timezone=Africa/Lagos", "")
    ran = vendors.cli("campaign", "send", group, "hi", "--at", "2099-01-31 08:00", "--url", address)

    assert (2, True) == (ran.code, "add --tz Europe/Berlin, or an offset" in ran.err)


def test_gateways_in_several_zones(vendors: Vendors) -> None:
    """Several gateways have a zone only if it is the same for all of them."""
    iprog, other = vendors.sandbox.address("iprog"), vendors.sandbox.address("infopromo")
    send = ["send", "+639171234567", "hi", "--at", "2099-01-31 08:00"]
    apart = vendors.cli(*send, "--url", f"{iprog} || {other}")
    alike = vendors.cli(*send, "--url", f"{iprog} || {iprog}&name=second")

    assert (2, True) == (apart.code, "names no time zone" in apart.err)
    assert (0, "  for 2099-01-31 08:00 (Asia/Manila)") == (alike.code, alike.out.splitlines()[-1])
