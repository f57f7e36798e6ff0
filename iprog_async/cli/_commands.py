"""The commands: each is a function of its own name in a module of its own name."""

from __future__ import annotations


COMMANDS = {
    "demo": "Text someone through every gateway of a local sandbox, and show what happened.",
    "send": "Send one text.",
    "bulk": "Send a text to everybody in a CSV file.",
    "journal": "Show, export or settle what a journal holds.",
    "status": "Show how far an accepted text has come.",
    "balance": "Show what is left on the account.",
    "count": "Count the segments of a text, without sending it.",
    "sandbox": "Run a local server that plays the gateways.",
    "providers": "Show what each gateway can do.",
    "doctor": "Check the installation and the configuration.",
}
"""Name and line of help; here, so that the list can be shown without importing them all."""

SENDING = ("send", "bulk")
"""Commands after which, where nobody knows better, a text may have been sent."""

TAKES_TEXT = {"send": "send 0917…", "count": "count"}
"""Commands whose text may start with a dash, and how they are called."""
