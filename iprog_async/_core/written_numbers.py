"""One phone number as people write it, and nothing that is more than one; pure decisions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from attrs import frozen


_BLANKS = " \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_DASHES = "\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d-"
_ODD = re.compile(rf"[^0-9+(). {_DASHES}]")
_SEPARATORS = re.compile(rf"[(). {_DASHES}]+")
# The apostrophe is how spreadsheets mark a text; the formula keeps the zero in front in a CSV file.
_FORMULA = re.compile(r'="([^"]*)"')
_LABEL = re.compile(r"(?:'|tel:) ?", re.IGNORECASE)

# A data frame or a spreadsheet made a number with a decimal point of it.
_DECIMAL = re.compile(r"(\+?\d{4,})[.,]0+", re.ASCII)
_SHORTENED = re.compile(r"\+?\d+(?:[.,]\d+)?[eE][+-]?\d+", re.ASCII)
_AMOUNT = re.compile(r"\+?\d{4,}[.,]\d{1,3}", re.ASCII)
_NEGATIVE = re.compile(rf"[{_DASHES}]")
_TRUNK = re.compile(r"\(0\)")


class UnreadableError(ValueError):
    """A cell does not hold exactly one phone number; its text says why."""


@frozen
class Written:
    """A number as it was written: its digits in the groups that separators made.

    Args:
        plus: Whether it begins with a plus sign.
        groups: The digits.
        trunk_at: Which group is a `(0)`, or `None`.
    """

    plus: bool
    groups: tuple[str, ...]
    trunk_at: int | None = None

    @property
    def digits(self) -> str:
        """All digits, with the plus sign if there is one."""
        return ("+" if self.plus else "") + "".join(self.groups)

    @property
    def without_trunk(self) -> str | None:
        """The same without a `(0)`; `None` where there is none."""
        if self.trunk_at is None:
            return None
        groups = self.groups[: self.trunk_at] + self.groups[self.trunk_at + 1 :]
        return ("+" if self.plus else "") + "".join(groups)

    def beginnings(self) -> Iterator[Written]:
        """Yield what the number begins with, up to each separator."""
        for place in range(1, len(self.groups)):
            yield Written(self.plus, self.groups[:place], self.trunk_at)

    def drops_to(self, place: int) -> bool:
        """Return whether a group is shorter than the one before it, and so may not belong to it."""
        return len(self.groups[place]) < len(self.groups[place - 1])


def read_written(given: str) -> Written:
    """Read what people write for one phone number.

    Taken are digits of any script, a plus sign in front, blanks, dashes, dots, round brackets, and
    what programs add: `tel:` or an apostrophe in front, `="…"` around it, `.0` behind what they
    took for an amount.

    Raises:
        UnreadableError: There is anything else in it.
    """
    text = _plain(given)
    if formula := _FORMULA.fullmatch(text):
        text = formula[1].strip()
    if label := _LABEL.match(text):
        text = text[label.end() :]
    if match := _DECIMAL.fullmatch(text):
        text = match[1]
    if _SHORTENED.fullmatch(text):
        raise UnreadableError(
            "was shortened by a spreadsheet, so that its last digits are lost; format the column "
            "as text, and write the numbers again"
        )
    if _AMOUNT.fullmatch(text) or _NEGATIVE.match(text):
        raise UnreadableError(
            "is written as an amount, with a decimal point or a minus sign; write the digits of "
            "one number"
        )
    _check_characters(text)
    plus = text.lstrip("( ").startswith("+")
    bare = text.replace("+", " ", 1) if plus else text
    if "+" in bare:
        raise UnreadableError(
            "has a plus sign where none belongs; write one number, and nothing else"
            if any(map(str.isdigit, text))
            else "is not a phone number"
        )
    groups = tuple(group for group in _SEPARATORS.split(bare) if group)
    if not groups:
        raise UnreadableError("is not a phone number")
    trunk = _TRUNK.search(bare)
    before = None if trunk is None else len(_SEPARATORS.split(bare[: trunk.start()].strip(" (")))
    trunk_at = before if before is not None and groups[before : before + 1] == ("0",) else None
    return Written(plus, groups, trunk_at)


def _plain(given: str) -> str:
    """Return a text with ASCII digits, plain blanks, and no marks around it that nobody sees."""
    if given.isascii():
        return given.strip().replace("\t", " ")
    return "".join(map(_plain_character, given)).strip()


def _plain_character(char: str) -> str:
    if char.isascii():
        return " " if char == "\t" else char
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    # What address books put around a number, so that it is read from left to right.
    if unicodedata.category(char) in ("Zs", "Cf"):
        return " "
    return {"\uff0b": "+", "\uff08": "(", "\uff09": ")", "\uff0e": "."}.get(char, char)


def _check_characters(text: str) -> None:
    odd = _ODD.search(text)
    if odd is None:
        return
    char = odd[0]
    if any(map(str.isalpha, text)):
        # phonenumbers would read "0917-CALL-NOW" as a vanity number.
        raise UnreadableError("has letters in it; write the digits of one number")
    if char == "#":
        raise UnreadableError("has an extension, which no text can reach")
    raise UnreadableError(
        f"has {char!r} in it, which separates a number from something else; write one number, "
        "and nothing else"
    )
