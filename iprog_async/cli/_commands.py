"""The commands: each is a function of its own name in a module of its own name."""

from __future__ import annotations


COMMANDS = {
    "demo": "Text someone through every gateway of a local sandbox, and show what happened.",
    "send": "Send one text.",
    "bulk": "Send a text to everybody in a CSV file.",
    "journal": "Show, export or settle what a journal holds.",
    "status": "Show how far an accepted text has come.",
    "balance": "Show what is left on the account.",
    "otp": "Send, check and list one-time passwords that the gateway makes.",
    "reminder": "Create, show, change or delete a text that the gateway sends later.",
    "campaign": "Send a text to the gateway's contact groups, and show how far it has come.",
    "messages": "List or show what the account sent and received.",
    "contacts": "Manage the contacts that the gateway keeps, and their groups.",
    "me": "Show the account's record.",
    "keys": "Make, replace or revoke the account's API key.",
    "detect": "Show which mobile network a number belongs to.",
    "count": "Count the segments of a text, without sending it.",
    "sandbox": "Run a local server that plays the gateways.",
    "providers": "Show what each gateway can do.",
    "doctor": "Check the installation and the configuration.",
    "completion": "Print what makes a shell complete this command's words.",
}
"""Name and line of help; here, so that the list can be shown without importing them all."""

RISKS = {
    "send": "the text may have been sent",
    "bulk": "the text may have been sent",
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
