"""Pseudonyms: what stands in a row whose number and key were pruned or forgotten.

They are salted hashes, so that the same number and key are found again, and nobody texts a person
twice. Whoever has the journal has the salt, too, and can try every phone number there is: a
pseudonym hides a number from whoever reads, not from whoever searches. A slow hash would change
little about it, as there are few numbers, and slow down every resumed run.
"""

from __future__ import annotations

from hashlib import sha256

from attrs import evolve

from iprog_async._core.receipts import DeliveryStatus
from iprog_async._journal.rows import Row, Values, unpack_receipt


MARK = "~"
"""What a pseudonym begins with, and no number does."""
DIGITS = 32
"""How many hexadecimal digits follow."""
FORGOTTEN = "its number was removed from the journal before anybody settled it"
_NO_ROW = 0
# So many digits of a number are in each of its forms, national or international.
_NATIONAL = 9


class Pseudonyms:
    """Gives pseudonyms.

    Args:
        salt: The journal's.
    """

    def __init__(self, salt: bytes) -> None:
        self.salt = sha256(salt + b"pseudonyms").digest()
        """What they are made with."""

    def of_number(self, number: str) -> str:
        """Return what stands for a number."""
        return self._of(f"n{number}")

    def of_key(self, number: str, key: str) -> str:
        """Return what stands for the key of a number's message."""
        return self._of(f"k{number}:{key}")

    def _of(self, name: str) -> str:
        return f"{MARK}{sha256(self.salt + name.encode()).hexdigest()[:DIGITS]}"

    def hide(self, row: Row) -> Values | None:
        """Return the columns of a row without the person it was about; `None` if it has to go.

        What keeps a message from being sent again stays; of one that was not sent nothing has to.
        """
        key = None if row.key is None else self.of_key(row.number, row.key)
        hidden = evolve(row, number=self.of_number(row.number), key=key)
        if row.state == "accepted":
            receipt = unpack_receipt(row)
            status = DeliveryStatus(receipt.status.state)
            return hidden.as_accepted(evolve(receipt, message_id=None, to="", status=status))
        return hidden.as_unknown(FORGOTTEN) if row.unsettled else None


def national_digits(number: str) -> str:
    """Return the digits by which a number is found in words, whatever stands before them."""
    return number[-_NATIONAL:]


def without_mention(row: Row, digits: str) -> Values:
    """Return the columns of somebody else's row whose error speaks of a number, without it."""
    return evolve(row, detail=row.detail.replace(digits, "…")).as_it_is()


def is_pseudonym(number: str) -> bool:
    """Return whether the person of a row was forgotten."""
    return number.startswith(MARK)


def recalled(row: Row, number: str, key: str | None) -> Row:
    """Return a hidden row as that of the message that somebody asks for; it has no row of its own.

    Args:
        row: The row, with pseudonyms.
        number: The number that was asked for.
        key: The key that it is known by.
    """
    detail = row.detail
    if row.state == "accepted":
        receipt = evolve(unpack_receipt(row), to=number.removeprefix("+"))
        detail = str(row.as_accepted(receipt)[_DETAIL])
    found = evolve(row, id=_NO_ROW, number=number, key=key, detail=detail)
    found.on_record = None
    return found


def is_recalled(row: Row) -> bool:
    """Return whether a row that was looked up is of somebody who was forgotten."""
    return row.id == _NO_ROW


_DETAIL = 8
