"""Apps keep what a send returned, in a cache or a task queue, also while they are updated."""

from __future__ import annotations

import pickle
import pickletools
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from iprog_async import (
    Accepted,
    Balance,
    DeliveryStatus,
    InsufficientCreditError,
    Message,
    NotSent,
    OutcomeUnknownError,
    Receipt,
    RejectedError,
    RunHaltedError,
    Unknown,
    WaitTimeoutError,
)
from iprog_async_providers import IprogOptions


_FOLDER = Path(__file__).parent.parent / "samples" / "pickles"

_RECEIPT = Receipt(
    provider="iprog",
    message_id="iSms-2Gf",
    to="639171234567",
    segments=2,
    cost=Decimal("1.50"),
    status=DeliveryStatus("sent", "Sent", {"status": "Sent"}),
    scheduled=True,
    raw={"message_id": "iSms-2Gf"},
)
_MESSAGE = Message(
    "0917 123 4567",
    "Order 7 is ready",
    schedule_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    key="order-7",
    options=IprogOptions(sms_provider=1),
)
_REFUSED = RejectedError("iprog refused it", provider="iprog", http_status=422, reason="no")
_UNCLEAR = OutcomeUnknownError(
    "iprog: nobody knows", provider="iprog", reason="no answer", references=("iSms-2Gf",)
)
_BROKE = InsufficientCreditError("iprog: the account is empty", provider="iprog", code="402")

# The files were written by version 0.1.0, with `pickle.dumps`.
_VALUES: dict[str, object] = {
    "receipt": _RECEIPT,
    "message": _MESSAGE,
    "accepted": Accepted(0, _MESSAGE, _RECEIPT),
    "not_sent": NotSent(1, _MESSAGE, _REFUSED),
    "unknown": Unknown(2, _MESSAGE, _UNCLEAR),
    "balance": Balance(Decimal("12.5"), "credits", "12.50", {"load_balance": "12.50"}),
    "halted": RunHaltedError(_BROKE),
    "wait_timeout": WaitTimeoutError(
        "still pending", receipt=_RECEIPT, last_status=DeliveryStatus("pending")
    ),
}


def _told(value: object, like: object) -> object:
    """Return all that a value says, as far as one like it does: errors equal only themselves.

    An error's sentence is that of the version that raised it, and may be another one by now.
    """
    if isinstance(value, BaseException):
        said = {key: _told(getattr(value, key), wanted) for key, wanted in vars(like).items()}
        return type(value), len(value.args), said
    cls = type(value)
    if attrs.has(cls):
        names = [field.name for field in attrs.fields(cls)]
        return cls, {name: _told(getattr(value, name), getattr(like, name)) for name in names}
    return value


@pytest.mark.parametrize("name", _VALUES)
def test_what_an_earlier_version_pickled_opens(name: str) -> None:
    """Every field of it is there and says the same."""
    value = _VALUES[name]
    found = pickle.loads((_FOLDER / f"{name}.pickle").read_bytes())  # noqa: S301 - our own

    assert _told(value, value) == _told(found, value)


@pytest.mark.parametrize("name", _VALUES)
def test_what_is_pickled_now_opens(name: str) -> None:
    """The same goes for what this version writes."""
    value = _VALUES[name]
    found = pickle.loads(pickle.dumps(value))  # noqa: S301 - our own

    assert _told(value, value) == _told(found, value)


@pytest.mark.parametrize("name", _VALUES)
def test_pickles_name_no_private_module(name: str) -> None:
    """Where a class is written may change, and what was stored is found all the same."""
    stored = pickle.dumps(_VALUES[name])
    words = {text for _, text, _ in pickletools.genops(stored) if isinstance(text, str)}

    assert set() == {word for word in words if "._" in word and word.startswith("iprog_async")}
