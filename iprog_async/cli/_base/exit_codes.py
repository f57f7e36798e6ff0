"""Exit codes: what a script may conclude from a command that ended."""

from __future__ import annotations

from enum import IntEnum

from iprog_async._core.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    CreditLimitError,
    ExpiredError,
    InvalidMessageError,
    JournalError,
    NoAnswerError,
    PolicyRefusedError,
    ProviderError,
    SendLaterError,
    SmsError,
    SuppressionsError,
    UnsupportedError,
)


class ExitCode(IntEnum):
    """How a command ended; `meaning` is its line in `--help`."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        """Make a member of a number and its line of help."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = (
        0,
        "done; in a bulk run each text was accepted, or left out as a duplicate or suppressed",
    )
    UNEXPECTED = 1, "something unexpected, or not healthy: a text that failed, a bad check"
    USAGE = 2, "wrong usage or bad input; nothing was sent"
    CONFIGURATION = 3, "wrong credentials or settings, or a missing extra; nothing was sent"
    REFUSED = 4, "refused, and not sent; in a bulk run some texts were not sent"
    UNREACHABLE = 5, "the gateway could not be reached, or gave no answer; nothing was sent"
    UNKNOWN = 6, "a text may have been sent, or its delivery is not known: do not just repeat it"
    INTERRUPTED = 130, "stopped by Ctrl-C, or by the answer no"
    TERMINATED = (
        143,
        "stopped by SIGTERM, as docker stop sends it; a bulk run stops between two texts",
    )


_BY_ERROR: tuple[tuple[type[SmsError], ExitCode], ...] = (
    (AuthenticationError, ExitCode.CONFIGURATION),
    (ConfigurationError, ExitCode.CONFIGURATION),
    (JournalError, ExitCode.CONFIGURATION),
    (SuppressionsError, ExitCode.CONFIGURATION),
    (InvalidMessageError, ExitCode.USAGE),
    (UnsupportedError, ExitCode.USAGE),
    (CreditLimitError, ExitCode.REFUSED),
    (PolicyRefusedError, ExitCode.REFUSED),
    (SendLaterError, ExitCode.REFUSED),
    (ExpiredError, ExitCode.REFUSED),
    (ProviderError, ExitCode.REFUSED),
    (ConnectionFailedError, ExitCode.UNREACHABLE),
    (NoAnswerError, ExitCode.UNREACHABLE),
)


def exit_code(error: SmsError) -> ExitCode:
    """Return the exit code of an error; one that leaves a text in doubt is always `UNKNOWN`."""
    if error.may_have_been_sent:
        return ExitCode.UNKNOWN
    return next((code for cls, code in _BY_ERROR if isinstance(error, cls)), ExitCode.UNEXPECTED)
