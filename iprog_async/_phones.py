"""Phone numbers as people write them, turned into E.164."""

from __future__ import annotations

import re

from attrs import frozen

from iprog_async._errors import ConfigurationError, InvalidMessageError


@frozen
class MobilePlan:
    """The usual shape of a region's mobile numbers: country code, trunk prefix, national part."""

    country: str
    trunk: str
    national: str


# Numbers of this shape skip phonenumbers, which costs twenty times as much. The shapes are
# wider than its metadata on purpose: regulators open new ranges before a release knows them.
MOBILE_PLANS = {
    "PH": MobilePlan("63", "0", r"9\d{9}"),
    "UG": MobilePlan("256", "0", r"7\d{8}"),
}

_REGION = re.compile(r"[A-Z]{2}", re.ASCII)
_SEPARATORS = str.maketrans("", "", " \t\u00a0\u202f-\u2010\u2011\u2013.()/")
_PREFIX: dict[str | None, str] = {
    region: f"+{plan.country}" for region, plan in MOBILE_PLANS.items()
}
_FAST: dict[str | None, re.Pattern[str]] = {
    region: re.compile(
        # The trunk prefix after the country code is what "+63 (0)917 …" leaves behind.
        rf"(?:(?:\+|00)?{plan.country}(?:{plan.trunk})?|{plan.trunk})?({plan.national})",
        re.ASCII,
    )
    for region, plan in MOBILE_PLANS.items()
}
# The same shapes in numbers that name their country; without a region the sign may be missing.
_NAMED = "|".join(
    rf"({plan.country})(?:{plan.trunk})?({plan.national})" for plan in MOBILE_PLANS.values()
)
_ABROAD = re.compile(rf"(?:\+|00)(?:{_NAMED})", re.ASCII)
_ANYWHERE = re.compile(rf"(?:\+|00)?(?:{_NAMED})", re.ASCII)


def to_region(value: str | None) -> str | None:
    """Return a region in upper case; raises `ConfigurationError` if it is no two letters."""
    if value is None:
        return None
    region = value.strip().upper()
    if not _REGION.fullmatch(region):
        raise ConfigurationError(f"region {value!r} is not two letters, such as 'NG'")
    return region


def to_e164(number: str, region: str | None = None, *, mobile_only: bool = False) -> str:
    """Turn a phone number as people write it into E.164, such as `+639171234567`.

    Args:
        number: The number; national where `region` is given, else international,
            with or without the plus sign.
        region: Two-letter region of national numbers, such as `"PH"`.
        mobile_only: Refuse numbers that are certainly landlines.

    Returns:
        The number as `+` and digits.

    Raises:
        InvalidMessageError: It is no valid number; the message quotes it as given.
    """
    given: object = number
    fast = _FAST.get(region)
    if fast is not None and type(given) is str and (match := fast.fullmatch(given)):
        # Most rows of a file have no separators; this costs a third of what follows.
        return _PREFIX[region] + match[1]
    if given is not None and not isinstance(given, str):
        raise InvalidMessageError(
            f"the phone number {given!r} is of type {type(given).__name__}; give it as text"
        )
    if given is None or not given.strip():
        raise InvalidMessageError(f"the phone number is empty: {given!r}")
    digits = given.translate(_SEPARATORS)
    if fast is not None and (match := fast.fullmatch(digits)):
        return _PREFIX[region] + match[1]
    match = (_ANYWHERE if region is None else _ABROAD).fullmatch(digits)
    if match is not None:
        return "+" + "".join(part for part in match.groups() if part)
    return _parse(given, region, mobile_only)


def _parse(number: str, region: str | None, mobile_only: bool) -> str:
    # Imported here: its metadata takes 50 ms to load, and the usual shapes never need it.
    import phonenumbers

    text = number.strip()
    if region is None and text[:1].isdigit():
        text = "+" + text.removeprefix("00")
    if any(char.isalpha() for char in text):
        # phonenumbers would read "0917-CALL-NOW" as a vanity number.
        raise InvalidMessageError(f"the phone number {number!r} has letters in it")
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise _invalid(number, region, "is not a phone number") from None
    if parsed.extension:
        raise _invalid(number, region, "has an extension, which no text can reach")
    if not phonenumbers.is_valid_number(parsed):
        why = {
            phonenumbers.ValidationResult.TOO_SHORT: "is too short",
            phonenumbers.ValidationResult.TOO_LONG: "is too long",
        }.get(phonenumbers.is_possible_number_with_reason(parsed), "is not a valid phone number")
        raise _invalid(number, region, why)
    if mobile_only and phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE:
        raise InvalidMessageError(f"the phone number {number!r} is a landline")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _invalid(number: str, region: str | None, why: str) -> InvalidMessageError:
    if region is None:
        return InvalidMessageError(
            f"the phone number {number!r} {why}, read with its country code; write that in front, "
            "or give the provider a region for national numbers (region=, in an address ?region=)"
        )
    return InvalidMessageError(f"the phone number {number!r} {why} (read as one of {region})")


def mask_number(number: str) -> str:
    """Return a number fit for a log: the first digits and the last two."""
    return f"{number[:-6]}****{number[-2:]}" if len(number) > 8 else "****"
