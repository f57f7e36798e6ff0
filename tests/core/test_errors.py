from __future__ import annotations

import copy
import inspect
import pickle
import traceback
from datetime import UTC, datetime

import pytest

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


DETAILS = {
    "provider": "iprog",
    "http_status": 401,
    "code": "E1",
    "reason": "no",
    "raw": {"a": [1]},
    "healable": False,
    "blame": "recipient",
}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIMITED = RateLimitError("slow", retry_after=3.0, provider="iprog")
LOST = OutcomeUnknownError("lost", provider="iprog", reason="503", references=("1", "2"))

# Each error, whether a text may have been sent, and whether another try or gateway could help.
TABLE: list[tuple[SmsError, bool, bool, str]] = [
    (SmsError("x"), False, False, "message"),
    (ConfigurationError("x"), False, False, "account"),
    (InvalidMessageError("x"), False, False, "message"),
    (DuplicateMessageError(4), False, False, "message"),
    (NumberRepeatedError(4), False, False, "message"),
    (SuppressedError("+639171234567"), False, False, "message"),
    (UnsupportedError("x"), False, False, "message"),
    (ClientClosedError("x"), False, False, "account"),
    (WrongLoopError("x"), False, False, "account"),
    (SuppressionsError("x"), False, False, "account"),
    (RunHaltedError(LIMITED), False, True, "account"),
    (CreditLimitError(100, 90), False, True, "account"),
    (DeliveryFailedError(20, provider="iprog", reason="Failed"), False, False, "account"),
    (PolicyError("night", "failed"), False, True, "message"),
    (PolicyRefusedError("night", "no"), False, False, "message"),
    (SendLaterError("x", until=NOON), False, True, "message"),
    (LimitExceededError("x", until=NOON, limit="5/day"), False, True, "message"),
    (LimitExceededError("x", until=NOON, limit="9", blame="account"), False, True, "account"),
    (ExpiredError(NOON, "it waited"), False, False, "message"),
    (ConnectionFailedError("x"), False, True, "message"),
    (NoAnswerError("x"), False, True, "message"),
    (LOST, True, False, "message"),
    (JournalUnknownError("?", provider="", reason="?"), True, False, "message"),
    (WaitTimeoutError("x", receipt="iprog:1", last_status=None), True, False, "message"),
    (ProviderError("x", provider="iprog"), False, False, "message"),
    (AuthenticationError("x", provider="iprog"), False, True, "account"),
    (AuthenticationError("x", **DETAILS), False, False, "recipient"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - one dict for all classes
    (InsufficientCreditError("x", provider="iprog"), False, True, "account"),
    (CredentialsOrCreditError("x", provider="iprog"), False, True, "account"),
    (RejectedError("x", provider="iprog"), False, False, "message"),
    (RejectedError("x", provider="iprog", healable=True), False, True, "message"),
    (LIMITED, False, True, "account"),
    (NotFoundError("x", provider="iprog"), False, False, "message"),
]
ERRORS = [row[0] for row in TABLE]


@pytest.mark.parametrize(("error", "may_have_been_sent", "healable", "blame"), TABLE)
def test_what_an_error_says_about_the_text(
    error: SmsError, may_have_been_sent: bool, healable: bool, blame: str
) -> None:
    """Only two errors leave room for a text that went out."""
    assert (may_have_been_sent, healable, blame) == (
        error.may_have_been_sent,
        error.healable,
        error.blame,
    )


def same(one: SmsError, other: SmsError) -> bool:
    """Return whether two errors are of one class and hold the same."""
    state, copied = dict(vars(one)), dict(vars(other))
    causes = state.pop("cause", None), copied.pop("cause", None)
    return (type(one), str(one), state, str(causes[0])) == (
        type(other),
        str(other),
        copied,
        str(causes[1]),
    )


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_survive_pickling_and_copying(error: SmsError) -> None:
    """Errors cross processes and queues whole, with their notes."""
    error.add_note("seen by the worker")

    assert same(error, pickle.loads(pickle.dumps(error)))  # noqa: S301 - just written by ourselves
    assert same(error, copy.copy(error))
    assert same(error, copy.deepcopy(error))


def test_every_public_error_is_tested() -> None:
    """The table above has all error classes of the package, but those of the journal."""
    public = {
        value
        for value in vars(iprog_async).values()
        if inspect.isclass(value) and issubclass(value, SmsError)
    }

    assert set() == {cls for cls in public if "Journal" not in cls.__name__} - set(
        map(type, ERRORS)
    )


def test_errors_go_by_the_names_that_users_import() -> None:
    """A traceback names each error as the package exports it."""
    homes = {
        value.__module__
        for value in vars(iprog_async).values()
        if inspect.isclass(value) and issubclass(value, SmsError)
    }
    last_line = traceback.format_exception_only(ConfigurationError("no token"))[-1]

    assert {"iprog_async"} == homes
    assert "iprog_async.ConfigurationError: no token\n" == last_line


def test_invalid_message_is_a_value_error() -> None:
    """Callers who know nothing of this library catch bad input as Python's own error."""
    with pytest.raises(ValueError, match="bad"):
        raise InvalidMessageError("bad")


@pytest.mark.parametrize("caught_as", [AuthenticationError, InsufficientCreditError])
def test_ambiguous_refusal_is_caught_as_either(caught_as: type[ProviderError]) -> None:
    """A sentence for two causes satisfies both `except` clauses."""
    with pytest.raises(caught_as):
        raise CredentialsOrCreditError("x", provider="iprog")


def test_duplicate_names_the_first_message() -> None:
    """The error says which message is sent instead, and how to send both."""
    error = DuplicateMessageError(4)

    assert 4 == error.first_index
    assert "message 4" in str(error)
    assert "key=" in str(error)
