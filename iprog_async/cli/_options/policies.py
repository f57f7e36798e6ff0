"""At which hours texts leave, and how many: `--send-between`, `--per-number` and their like."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter, validators

from iprog_async._core.errors import ConfigurationError, InvalidMessageError
from iprog_async._policies.limits import LimitSettings
from iprog_async._policies.send_between import SendBetween


SendBetweenHours = Annotated[
    str | None,
    Parameter(
        name="--send-between",
        help="The hours at which texts leave, such as 08:00-20:00, by the clocks of each number's "
        "region. Rows of a file wait for them; a single text is not sent outside of them.",
    ),
]
Zone = Annotated[
    str | None,
    Parameter(name="--zone", help="Whose clocks --send-between means instead: Asia/Manila."),
]
PerNumber = Annotated[
    str | None,
    Parameter(
        name="--per-number",
        help="The most texts to one number, such as 5/day, which is any 24 hours; counted by all "
        "that have the journal.",
    ),
]
PerNumberSameText = Annotated[
    str | None,
    Parameter(
        name="--per-number-same-text",
        help="The most texts of the same words to one number, such as 1/10min.",
    ),
]
CreditsPerDay = Annotated[
    int | None,
    Parameter(
        name="--credits-per-day",
        validator=validators.Number(gte=1),
        help="The most credits in any 24 hours, of all that have the journal; a segment counts as "
        "one, or as what the gateway says it took.",
    ),
]


def hours_of(send_between: str | None, zone: str | None) -> dict[str, Any]:
    """Return the arguments of a client for its hours.

    Raises:
        InvalidMessageError: They make no sense.
    """
    if send_between is None:
        if zone is not None:
            raise InvalidMessageError("--zone is the clock of --send-between; give both")
        return {}
    try:
        SendBetween.of_words(send_between, zone, "wait")
    except ConfigurationError as exc:
        raise InvalidMessageError(f"--send-between, --zone: {exc}") from None
    return {"send_between": send_between, "zone": zone}


def limits_of(
    per_number: str | None, per_number_same_text: str | None, credits_per_day: int | None
) -> dict[str, Any]:
    """Return the arguments of a client for its limits.

    Raises:
        InvalidMessageError: They make no sense.
    """
    try:
        LimitSettings.of_words(per_number, per_number_same_text, credits_per_day)
    except ConfigurationError as exc:
        name, _, words = str(exc).partition(": ")
        raise InvalidMessageError(f"--{name.replace('_', '-')}: {words}") from None
    return {
        "per_number": per_number,
        "per_number_same_text": per_number_same_text,
        "credits_per_day": credits_per_day,
    }
