"""Reading what codes are to be like; mistakes are told when `Codes` is made."""

from __future__ import annotations

from typing import Literal

from iprog_async._core.checks import check_seconds
from iprog_async._core.errors import ConfigurationError
from iprog_async._core.rates import Rate, to_rate
from iprog_async.codes._slots import Rules


_LENGTHS = range(4, 11)
_SHORTEST_LIFE = 60.0
_LONGEST_LIFE = 86_400.0
_MOST_TRIES = 100
_GATEWAY_LONGEST_LIFE = 3600.0
_PURPOSE_LENGTH = 64

PURPOSE = "login"
"""What a code is for, if nothing is said."""


def read_rules(lifetime: float, tries: int, cooldown: float, per_number: Rate | str) -> Rules:
    """Return what codes are held to.

    Raises:
        ConfigurationError: One of them makes no sense.
    """
    check_seconds("lifetime", lifetime)
    if not _SHORTEST_LIFE <= lifetime <= _LONGEST_LIFE:
        raise ConfigurationError(f"lifetime= is 60 to 86400 seconds, not {lifetime:g}")
    if type(tries) is not int or not 1 <= tries <= _MOST_TRIES:
        raise ConfigurationError(f"tries= is 1 to {_MOST_TRIES}, not {tries!r}")
    if cooldown != 0:
        check_seconds("cooldown", cooldown)
    rate = to_rate(per_number)
    if rate is None:
        raise ConfigurationError(
            "per_number= is how many codes a number may be sent, such as 10/24h: without a limit "
            "somebody who guesses has all the time there is"
        )
    return Rules(lifetime=lifetime, tries=tries, cooldown=cooldown, per_number=rate)


def read_text(
    text: str, length: int, made_by: Literal["us", "gateway"], rules: Rules
) -> tuple[str, int]:
    """Return the text and the length of a code, as they were given.

    Raises:
        ConfigurationError: One of them makes no sense, or not for a gateway that makes the codes.
    """
    if not isinstance(text, str) or text.count("{code}") != 1:
        raise ConfigurationError(f"text= has {{code}} once, where the code goes, and not {text!r}")
    if type(length) is not int or length not in _LENGTHS:
        raise ConfigurationError(f"length= is 4 to 10 digits, not {length!r}")
    if made_by not in ("us", "gateway"):
        raise ConfigurationError(f'made_by= is "us" or "gateway", not {made_by!r}')
    if made_by == "gateway" and (rules.lifetime % 60 or rules.lifetime > _GATEWAY_LONGEST_LIFE):
        raise ConfigurationError(
            f"lifetime= is whole minutes, 60 to 3600 seconds, where the gateway makes the codes, "
            f"and not {rules.lifetime:g}"
        )
    return text, length


def check_purpose(purpose: str, made_by: Literal["us", "gateway"]) -> str:
    """Return a purpose as it was given.

    Raises:
        ConfigurationError: It is no short text, or nobody could tell it from another one.
    """
    if not isinstance(purpose, str) or not 0 < len(purpose) <= _PURPOSE_LENGTH:
        raise ConfigurationError(
            f"purpose= is 1 to {_PURPOSE_LENGTH} characters, such as login, and not {purpose!r}"
        )
    if made_by == "gateway" and purpose != PURPOSE:
        raise ConfigurationError(
            "a gateway checks a code by its number alone, so that one for this purpose would be "
            "right for any other: leave out purpose=, or made_by='gateway'. Nothing was sent"
        )
    return purpose
