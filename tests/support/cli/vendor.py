"""What commands for vendors' own operations need to exist: groups, contacts, codes, reminders."""

from __future__ import annotations

import shlex

import pytest
from attrs import frozen

from iprog_async.cli._base.command_table import EXAMPLES
from iprog_async.sandbox import Sandbox
from support.cli.runner import Cli, Ran


PHONE = "+2348012345678"
MOBILE = "09171234567"
# By the first word of a command; the others are asked of IPROG.
_GATEWAYS = {
    "campaign": "infopromo",
    "messages": "infopromo",
    "contacts": "infopromo",
    "me": "infopromo",
    "keys": "ugsms-v1",
}


@frozen
class Vendors:
    """Runs commands, each against the sandbox's gateway that can do it."""

    cli: Cli
    sandbox: Sandbox

    def __call__(self, *tokens: str, gateway: str | None = None) -> Ran:
        """Run a command against the gateway that has it, or against another one."""
        address = self.sandbox.address(gateway or gateway_of(tokens[0]))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SMS_URL", address)
            return self.cli(*tokens)

    def uid(self, *tokens: str) -> str:
        """Run a command that makes something, and return its id."""
        data = self(*tokens, "--json").json
        return str(data.get("uid") or data.get("id"))

    def group(self, name: str = "June") -> str:
        """Make a contact group."""
        return self.uid("contacts", "groups", "create", name)

    def contact(self, group: str) -> str:
        """Make a contact."""
        return self.uid("contacts", "add", group, PHONE)

    def message(self) -> str:
        """Send a text, and return the uid by which the gateway keeps it."""
        ran = self("send", PHONE, "hello", "--json", gateway="infopromo")
        return str(ran.json["message_id"])

    def reminder(self, text: str = "See you") -> str:
        """Make a reminder."""
        return self.uid("reminder", "create", MOBILE, text, "--at", "2099-01-31 08:00")

    def code(self) -> str:
        """Have a code sent."""
        return str(self("otp", "send", MOBILE, "--show", "--json").json["code"])

    def example(self, command: str) -> list[str]:
        """Return a command's example, with the ids of things that are there."""
        made = {"42": "", "66d6": "", "77e7": "", "123456": ""}
        if command.startswith("reminder"):
            made["42"] = self.reminder()
        elif command.startswith("otp"):
            made["123456"] = self.code()
        elif command == "messages show":
            made["66d6"] = self.message()
        elif command.startswith(("contacts", "campaign")):
            made["66d6"] = group = self.group()
            made["77e7"] = self.contact(group) if "77e7" in EXAMPLES[command] else ""
            if command == "campaign show":
                self.contact(group)
                made["66d6"] = self.uid("campaign", "send", group, "hello", "--yes")
        return [made.get(word, word) for word in shlex.split(EXAMPLES[command])[1:]]


def gateway_of(word: str) -> str:
    """Return a gateway that has the commands that begin with a word."""
    return _GATEWAYS.get(word, "iprog")


def decline(_: str) -> str:
    """Answer a question with no."""
    return "n\n"
