from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.cli.runner import Cli

import iprog_async
from iprog_async import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    CredentialsOrCreditError,
    CreditLimitError,
    DeliveryFailedError,
    DuplicateMessageError,
    ExpiredError,
    InsufficientCreditError,
    InvalidMessageError,
    JournalConflictError,
    JournalError,
    JournalUnknownError,
    LimitExceededError,
    NoAnswerError,
    NotFoundError,
    NumberRepeatedError,
    OutcomeUnknownError,
    PolicyError,
    PolicyRefusedError,
    ProviderError,
    RateLimitError,
    RejectedError,
    RunHaltedError,
    SendLaterError,
    SmsError,
    SuppressedError,
    SuppressionsError,
    UnsupportedError,
    WaitTimeoutError,
    WrongLoopError,
)
from iprog_async.cli._base.exit_codes import exit_code
from iprog_async.cli._errors.failure import from_error


LATER = datetime(2999, 1, 1, tzinfo=UTC)

_ERRORS: list[tuple[SmsError, int]] = [
    (SmsError("x"), 1),
    (ClientClosedError("x"), 1),
    (WrongLoopError("x"), 1),
    (DeliveryFailedError(20, provider="p", reason="Failed"), 1),
    (RunHaltedError(SmsError("x")), 1),
    (InvalidMessageError("x"), 2),
    (DuplicateMessageError(0), 2),
    (NumberRepeatedError(0), 2),
    (SuppressedError("+639171234567"), 2),
    (JournalConflictError("+639171234567"), 2),
    (UnsupportedError("x"), 2),
    (ConfigurationError("x"), 3),
    (JournalError("x"), 3),
    (SuppressionsError("x"), 3),
    (AuthenticationError("x", provider="p"), 3),
    (CredentialsOrCreditError("x", provider="p"), 3),
    (PolicyError("p", "failed"), 1),
    (CreditLimitError(1, 1), 4),
    (PolicyRefusedError("p", "no"), 4),
    (SendLaterError("x", until=LATER), 4),
    (ExpiredError(LATER), 4),
    (LimitExceededError("x", until=LATER), 4),
    (ProviderError("x", provider="p"), 4),
    (InsufficientCreditError("x", provider="p"), 4),
    (RejectedError("x", provider="p"), 4),
    (RateLimitError("x", provider="p"), 4),
    (NotFoundError("x", provider="p"), 4),
    (ConnectionFailedError("x"), 5),
    (NoAnswerError("x"), 5),
    (OutcomeUnknownError("x", provider="p", reason="r"), 6),
    (JournalUnknownError("x", provider="p", reason="r"), 6),
    (WaitTimeoutError("x", receipt="p:1", last_status=None), 6),
]


@pytest.mark.parametrize(("error", "code"), _ERRORS, ids=[type(e).__name__ for e, _ in _ERRORS])
def test_errors(error: SmsError, code: int) -> None:
    """Each error ends a command with its own code; one that leaves doubt always with 6."""
    assert code == exit_code(error)
    assert (code == 6) == error.may_have_been_sent


def test_every_error_is_in_the_table() -> None:
    """No public error class was forgotten above."""
    public = {
        value
        for value in vars(iprog_async).values()
        if isinstance(value, type) and issubclass(value, SmsError)
    }
    assert set() == public - {type(error) for error, _ in _ERRORS}


def test_command_help(cli: Cli) -> None:
    """The help of each command names the option that all have."""
    names = ("demo", "send", "status", "balance", "count", "sandbox", "providers", "doctor")
    assert [name for name in names if "--json" not in cli(name, "--help").out] == []


def test_one_line() -> None:
    """A message of many lines becomes one, with the notes that were put on the error."""
    error = InvalidMessageError("first\nsecond\r\n")
    error.add_note("Not sent")
    assert from_error(error).message == "first second . Not sent"
