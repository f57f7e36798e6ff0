"""The commands: each is a function of its own name."""

from __future__ import annotations

from attrs import frozen


@frozen
class Command:
    """A command.

    Args:
        module: Where its function is, which has its name; below `iprog_async.cli`.
        help: Its line of help.
    """

    module: str
    help: str


COMMANDS = {
    "demo": Command(
        "_demo.command", "Send through every gateway of a local sandbox, and show what happened."
    ),
    "send": Command("_commands.send", "Send one text."),
    "bulk": Command("_bulk.command", "Send a text to everybody in a CSV file."),
    "worker": Command(
        "_fleet.worker", "Send what bulk --enqueue loaded, beside any number of other workers."
    ),
    "journal": Command("_commands.journal", "Make, show, export, follow or settle a journal."),
    "suppressions": Command(
        "_commands.suppressions",
        "Change, show or copy a list of numbers that must not be texted.",
    ),
    "status": Command("_commands.status", "Show how far an accepted text has come."),
    "balance": Command("_commands.balance", "Show what is left on the account."),
    "code": Command("_commands.code", "Text a one-time code through any gateway, and check it."),
    "otp": Command(
        "_vendor.otp", "Send, check and list one-time passwords that the gateway makes."
    ),
    "reminder": Command(
        "_vendor.reminder", "Create, show, change or delete a text that the gateway sends later."
    ),
    "campaign": Command(
        "_vendor.campaign",
        "Send a text to the gateway's contact groups, and show how far it has come.",
    ),
    "messages": Command("_vendor.messages", "List or show what the account sent and received."),
    "contacts": Command(
        "_vendor.contacts", "Manage the contacts that the gateway keeps, and their groups."
    ),
    "me": Command("_vendor.me", "Show the account's record."),
    "keys": Command("_vendor.keys", "Make, replace or revoke the account's API key."),
    "detect": Command("_vendor.detect", "Show which mobile network a number belongs to."),
    "count": Command("_commands.count", "Count the segments of a text, without sending it."),
    "sandbox": Command("_commands.sandbox", "Run a local server that plays the gateways."),
    "providers": Command("_commands.providers", "Show what each gateway can do."),
    "doctor": Command("_doctor.command", "Check the installation and the configuration."),
    "completion": Command(
        "_commands.completion",
        "Print the script that lets a shell complete this command with the tab key.",
    ),
}
"""By name; here, so that the list can be shown without importing them all."""

RISKS = {
    "send": "the text may have been sent",
    "bulk": "the text may have been sent",
    "worker": "what was on its way may have been sent",
    "code send": "a code may have been sent",
    "otp send": "a code may have been sent",
    "reminder create": "the reminder may have been created",
    "campaign send": "the texts may have been sent",
    "contacts add": "the contact may have been added",
    "contacts groups create": "the group may have been created",
    "keys generate": "a key may have been made",
    "keys regenerate": "the key may have been replaced",
    "keys revoke": "the key may have been revoked",
    "reminder update": "the reminder may have been changed",
    "reminder delete": "the reminder may have been deleted",
    "contacts update": "the contact may have been changed",
    "contacts delete": "the contact may have been deleted",
    "contacts groups rename": "the group may have been renamed",
    "contacts groups delete": "the group may have been deleted",
}
"""Commands that are not to be just repeated, and what they may have done where nobody knows."""

TAKES_TEXT = {
    "send": "send 0917…",
    "count": "count",
    "reminder create": "reminder create 0917… --at …",
    "campaign send": "campaign send UID",
    "contacts groups create": "contacts groups create",
    "contacts groups rename": "contacts groups rename UID",
}
"""Commands whose text may start with a dash, and how they are called."""

EXAMPLES = {
    "demo": "iprog-async demo",
    "send": 'iprog-async send "0917 123 4567" "Your parcel is here" --at "tomorrow 9:00"',
    "bulk": 'iprog-async bulk people.csv --text "Hi {name}!" --journal june.db --dry-run',
    "journal init": "iprog-async journal init postgresql://admin@db.example/shop --grant sender",
    "journal migrate": "iprog-async journal migrate postgresql://admin@db.example/shop --print",
    "worker": "iprog-async worker --journal postgresql://sms@db.example/sms --health 8080",
    "journal halt": "iprog-async journal halt postgresql://sms@db.example/sms --campaign june",
    "journal resume": "iprog-async journal resume postgresql://sms@db.example/sms --campaign june",
    "journal outbox": "iprog-async journal outbox postgresql://sender@db.example/shop",
    "journal show": "iprog-async journal show june.db",
    "journal unknown": "iprog-async journal unknown june.db --json",
    "journal export": "iprog-async journal export june.db --output june.csv",
    "journal follow": "iprog-async journal follow june.db --for 2h",
    "journal settle": "iprog-async journal settle june.db +639171234567 --accepted",
    "journal prune": "iprog-async journal prune june.db --older-than 90d",
    "journal forget": "iprog-async journal forget june.db +639171234567",
    "journal reconcile": "iprog-async journal reconcile june.db",
    "suppressions add": 'iprog-async suppressions add stop.db "+63 917 123 4567" --why "by phone"',
    "suppressions remove": 'iprog-async suppressions remove stop.db "+63 917 123 4567"',
    "suppressions list": "iprog-async suppressions list stop.db",
    "suppressions export": "iprog-async suppressions export stop.db --output stop.txt",
    "suppressions import": "iprog-async suppressions import stop.db stop.txt --region PH",
    "status": "iprog-async status iprog:iSms-2Gf --wait",
    "balance": "iprog-async balance --json",
    "code send": "iprog-async code send 09171234567 --journal logins.db",
    "code verify": "iprog-async code verify 09171234567 123456 --journal logins.db",
    "otp send": 'iprog-async otp send 09171234567 --template "Your code is :otp"',
    "otp verify": "iprog-async otp verify 09171234567 123456",
    "otp list": "iprog-async otp list --json",
    "reminder create": 'iprog-async reminder create 09171234567 "See you" --at "tomorrow 9:00"',
    "reminder get": "iprog-async reminder get 42",
    "reminder update": 'iprog-async reminder update 42 --at "2099-12-01 09:00" --tz Asia/Manila',
    "reminder delete": "iprog-async reminder delete 42 --yes",
    "campaign send": 'iprog-async campaign send 66d6 "We open at nine" --at "in 2 hours" --yes',
    "campaign show": "iprog-async campaign show 66d6",
    "messages list": 'iprog-async messages list --start "2026-11-01 00:00" --limit 20',
    "messages show": "iprog-async messages show 66d6",
    "contacts list": "iprog-async contacts list 66d6",
    "contacts add": "iprog-async contacts add 66d6 +2348012345678 --field FIRST_NAME=Ada",
    "contacts show": "iprog-async contacts show 66d6 77e7",
    "contacts update": "iprog-async contacts update 66d6 77e7 +2348012345679",
    "contacts delete": "iprog-async contacts delete 66d6 77e7 --yes",
    "contacts groups list": "iprog-async contacts groups list",
    "contacts groups create": 'iprog-async contacts groups create "June customers"',
    "contacts groups show": "iprog-async contacts groups show 66d6",
    "contacts groups rename": 'iprog-async contacts groups rename 66d6 "July customers"',
    "contacts groups delete": "iprog-async contacts groups delete 66d6 --yes",
    "me": "iprog-async me",
    "keys generate": "iprog-async keys generate --expiry-days 30 --output new.key",
    "keys regenerate": "iprog-async keys regenerate --output new.key --yes",
    "keys revoke": "iprog-async keys revoke --yes",
    "detect": "iprog-async detect 09171234567",
    "count": 'iprog-async count "Your parcel is here"',
    "sandbox": "iprog-async sandbox --port 8025",
    "providers": "iprog-async providers",
    "doctor": "iprog-async doctor --check",
    "completion": "iprog-async completion bash",
}
"""By the words that call a command; the application's own `help_print` shows them."""

POINTER = "Exit codes: see iprog-async --help"


def closing_words(command: str) -> list[str]:
    """Return the lines that the help of a command ends with; a group of commands has no example.

    Args:
        command: The words that call it, such as `"journal show"`.
    """
    example = EXAMPLES.get(command)
    lines = [] if example is None else ["Example:", f"  {example}", ""]
    return [*lines, POINTER]
