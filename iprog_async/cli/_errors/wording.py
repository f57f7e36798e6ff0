"""The library's advice in terms of the command line: options and addresses, not arguments."""

from __future__ import annotations

import re

from iprog_async._core.errors import SmsError


_TERMS: tuple[tuple[str, str], ...] = (
    (r"open the journal with allow_changed_text=True", "add --allow-changed-text"),
    (
        r"let it end first, or open the journal with wait=, the seconds to wait for that",
        "let it end first",
    ),
    (r"\ballow_lost_records=True goes on", "bulk with --allow-lost-records goes on"),
    (r"give one of them a key= if", "tell them apart by a --key-column if"),
    (
        r"resend_unknown=True on the journal sends it again",
        "bulk with --resend-unknown sends it again",
    ),
    (r"with any_gateway=True if", "with --any-gateway if"),
    (r"pass allow_remote=True", "add --allow-remote"),
    (r"\bnot_after\b", "--not-after"),
    (r"\bmax_credits\b", "--max-credits"),
    (r"raise max_connections or the deadline, or send less at once", "lower the --concurrency"),
    (r"engine='(\w+)'", r"--engine \1"),
    (r"check the network and the base_url", "check the network and the address (SMS_URL, --url)"),
    (r"check the id, and the base_url", "check the id, and the address (SMS_URL, --url)"),
    (r"check the base_url", "check the address (SMS_URL, --url)"),
    (r"^base_url\b", "base_url= in the address (SMS_URL, --url)"),
    (
        r"give the provider a region for national numbers \(region=, in an address \?region=\)",
        "say in the address (SMS_URL, --url) where national numbers are read, as in ?region=PH",
    ),
    (
        r"give sender_id= to the message or to the provider \(INFOPROMO_SENDER_ID\)",
        "give one with --from, INFOPROMO_SENDER_ID, or ?sender_id= in the address",
    ),
    (
        r"give the provider the zone of its settings page, such as timezone='Africa/Lagos'",
        "put the zone of its settings page into the address (SMS_URL, --url), as in "
        "?timezone=Africa/Lagos",
    ),
    (
        r"give the provider number_format='international'",
        "put ?number_format=international into the address (SMS_URL, --url)",
    ),
    (
        r"allow it with allow_unscheduled_single=True",
        "allow it by ?allow_unscheduled_single=true in the address (SMS_URL, --url)",
    ),
    (r"\bscheduled_at\b(?!=)", "the time"),
    (
        r"give at least one of to=, text= and scheduled_at=",
        "give at least one of --to, --text and --at",
    ),
    (r"^code_length\b", "--code-length"),
    (r"^purpose= is", "--purpose is"),
    (r"zone= is the clock of send_between=", "--zone is the clock of --send-between"),
    (r"\(send_between\); give zone=", "(--send-between); give --zone"),
    (r"Give base_url='(\S+)', or host= with one of", r"Give base_url=\1 or host= one of"),
    (r"Give any other as base_url", "Give any other as ?base_url="),
    (r"^text= has \{", "--text has {"),
    (r"^expires_in_minutes\b", "--expires-in-minutes"),
    (r"^expiry_days\b", "--expiry-days"),
    (r"^start \((\S+)\) is after end \(", r"--start (\1) is after --end ("),
    (r"give one of them another name=", "give one of the addresses another ?name="),
)
"""What the library says, as a regular expression, and what the command says instead.

A test reads the sources for advice that is missing here.
"""

_COMPILED = tuple((re.compile(pattern), words) for pattern, words in _TERMS)


def in_options(words: str) -> str:
    """Return the library's words with its advice in terms of options and addresses."""
    for pattern, replacement in _COMPILED:
        words = pattern.sub(replacement, words)
    return words


def words_of_error(error: SmsError) -> str:
    """Return what an error says to somebody at the command line."""
    return in_options(str(error))
