"""What a gateway answered: receipts, delivery statuses, balances."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Literal, get_args

from attrs import field, frozen, validators

from iprog_async._core.errors import InvalidMessageError, SmsError
from iprog_async._core.redaction import shown


DeliveryState = Literal["pending", "sent", "delivered", "failed", "unknown"]
FINAL_STATES: frozenset[DeliveryState] = frozenset({"delivered", "failed"})


@frozen
class DeliveryStatus:
    """How far an accepted text has come.

    Args:
        state: The status in this library's words. `"sent"` is handed to the network;
            `"unknown"` is a word of the gateway that no table knows.
        word: The gateway's own word.
        raw: The parsed answer, with secrets masked.
    """

    state: DeliveryState = field(validator=validators.in_(get_args(DeliveryState)))
    word: str = ""
    raw: object = field(default=None, repr=False, eq=False)

    @property
    def final(self) -> bool:
        """Whether it will not change any more."""
        return self.state in FINAL_STATES


PENDING = DeliveryStatus("pending")


def _to_id(value: object) -> str | None:
    """Turn an id into text: gateways write numbers, too, and adapters may pass them on."""
    return value if value is None or type(value) is str else str(value)


@frozen
class Receipt:
    """A gateway's word that it accepted a text; it can be stored and read back.

    Args:
        provider: Name of the provider that accepted it.
        message_id: The gateway's id, opaque; `None` where it gives none.
        to: Recipient in the gateway's notation.
        segments: Number of SMS segments, by our own count.
        cost: What the gateway says it charged, in its own unit; `None` where it does not say.
        status: The status at the moment of acceptance.
        scheduled: Whether the gateway sends it later.
        raw: The parsed answer, with secrets masked.
        credits: What the gateway says it took, where it counts in credits, one for a segment:
            `max_credits` counts it. `None` where it does not say, or counts in money. Known to
            the run that sent the text only: it is not stored.
    """

    provider: str
    message_id: str | None = field(converter=_to_id)
    to: str
    segments: int
    cost: Decimal | None = None
    status: DeliveryStatus = PENDING
    scheduled: bool = False
    raw: object = field(default=None, repr=False, eq=False)
    credits: Decimal | None = field(default=None, repr=False, eq=False)

    @property
    def ref(self) -> str | None:
        """`name:id`, taken wherever a receipt is; `None` where the gateway gave no id.

        It raises nothing: whoever asks has just sent a text, and an error might send another.
        """
        return None if self.message_id is None else f"{self.provider}:{self.message_id}"

    def to_dict(self) -> dict[str, Any]:
        """Return the receipt as JSON-ready data, without `raw` and `credits`."""
        return {
            "provider": self.provider,
            "message_id": self.message_id,
            "to": self.to,
            "segments": self.segments,
            "cost": None if self.cost is None else str(self.cost),
            "status": {"state": self.status.state, "word": self.status.word},
            "scheduled": self.scheduled,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Receipt:
        """Rebuild a receipt from `to_dict`; raises `InvalidMessageError` for other data."""
        try:
            return cls(
                provider=data["provider"],
                message_id=data["message_id"],
                to=data["to"],
                segments=data["segments"],
                cost=None if data["cost"] is None else Decimal(data["cost"]),
                status=DeliveryStatus(**data["status"]),
                scheduled=data["scheduled"],
            )
        except (KeyError, TypeError, ValueError, ArithmeticError) as exc:
            raise InvalidMessageError(f"this is not a stored receipt: {exc!r}") from exc


class WaitTimeoutError(SmsError):
    """The status was not final in time; the text was accepted and may still be delivered."""

    may_have_been_sent: ClassVar[bool] = True

    def __init__(
        self, message: str, *, receipt: Receipt | str, last_status: DeliveryStatus | None
    ) -> None:
        super().__init__(message)
        self.receipt = receipt
        self.last_status = last_status


def split_ref(receipt: Receipt | str) -> tuple[str, str]:
    """Return provider name and message id of a receipt or a `name:id` reference.

    Raises:
        InvalidMessageError: It is no reference, or the gateway gave no id.
    """
    # A database column may hold anything, whatever the annotation says.
    given: object = receipt
    if not isinstance(given, (str, Receipt)):
        raise InvalidMessageError(
            f"{shown(given)} is neither a receipt nor its reference; give what send returned, "
            "or the receipt's ref"
        )
    ref = receipt if isinstance(receipt, str) else receipt.ref
    if ref is None:
        raise InvalidMessageError("the gateway gave this text no id, so no status can be asked for")
    name, colon, message_id = ref.partition(":")
    if not (name and colon and message_id):
        raise InvalidMessageError(f"{shown(ref)} is no reference; it looks like iprog:iSms-2Gf")
    return name, message_id


@frozen
class Balance:
    """What is left on an account.

    Args:
        amount: The number, or `None` where the gateway gives words such as "Unlimited".
        unit: `"credits"`, or a currency code such as `"UGX"`; empty where unknown.
        text: The gateway's own words.
        raw: The parsed answer, with secrets masked.
    """

    amount: Decimal | None
    unit: str = ""
    text: str = ""
    raw: object = field(default=None, repr=False, eq=False)
