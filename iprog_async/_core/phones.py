"""Phone numbers as people write them, turned into E.164."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from iprog_async._core.errors import ConfigurationError, InvalidMessageError
from iprog_async._core.redaction import shown
from iprog_async._core.written_numbers import UnreadableError, Written, read_written


if TYPE_CHECKING:
    from phonenumbers import PhoneNumber


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

# Of the world's international numbers, with the plus sign: Tokelau's.
_SHORTEST = len("+690") + 4
# What people write for a country whose two letters are others.
_MISNAMED = {"UK": "GB", "EL": "GR"}
_REGION = re.compile(r"[A-Z]{2}", re.ASCII)
# Dropping them is safe only where numbers have one length, as these do: two of something that
# stand in one cell are not taken for one number. A dot is not among them: "917123456.0" is a
# number that is too short, and a data frame made a decimal of it. Nor is a dash in front.
_DASHES = "-\u2010\u2011\u2013"
_SEPARATORS = str.maketrans("", "", f" \t\u00a0\u202f{_DASHES}()")
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
        raise ConfigurationError(f"region {shown(value)} is not two letters, such as 'NG'")
    return region


def to_known_region(value: str | None) -> str | None:
    """Return a region in upper case, if some phone number is of it.

    Raises:
        ConfigurationError: It is no two letters, or no number has it.
    """
    region = to_region(value)
    if region is None or is_region(region):
        return region
    meant = _MISNAMED.get(region)
    advice = f"; write {meant!r}" if meant else ", such as 'NG'"
    raise ConfigurationError(f"no phone number has the region {shown(value)}{advice}")


def is_region(region: str) -> bool:
    """Return whether two capital letters are a region that phone numbers have."""
    if region in MOBILE_PLANS:
        return True
    import phonenumbers

    return region in phonenumbers.SUPPORTED_REGIONS


def to_sender(number: str, region: str | None = None) -> str:
    """Turn the number that a text came from into E.164, as a gateway writes it.

    Gateways leave out the plus sign. Where digits are one number with a country code in front and
    another without, it is the one that is a mobile: others hardly send texts.

    Args:
        number: The number.
        region: Two-letter region of national numbers.

    Raises:
        InvalidMessageError: It is no valid number, or it may be two.
    """
    fast = _FAST.get(region)
    if region is None or (fast is not None and fast.fullmatch(number)):
        return to_e164(number, region)
    mobiles = _mobiles_among(number, region)
    return mobiles.pop() if len(mobiles) == 1 else to_e164(number, region)


def _mobiles_among(number: str, region: str) -> set[str]:
    """Return which mobiles digits may be, with their country code or without."""
    import phonenumbers

    digits = number.strip()
    if not digits.isdecimal():
        return set()
    kinds = phonenumbers.PhoneNumberType
    return {
        phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        for parsed in (_valid(digits, region), _valid(f"+{digits}", None))
        if parsed is not None
        and phonenumbers.number_type(parsed) in (kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE)
    }


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
    if given.lstrip()[0] not in _DASHES:
        digits = given.translate(_SEPARATORS)
        if fast is not None and (match := fast.fullmatch(digits)):
            return _PREFIX[region] + match[1]
        match = (_ANYWHERE if region is None else _ABROAD).fullmatch(digits)
        if match is not None:
            return _joined(match)
    return _parse(given, region, mobile_only)


def _joined(match: re.Match[str]) -> str:
    return "+" + "".join(part for part in match.groups() if part)


def _parse(number: str, region: str | None, mobile_only: bool) -> str:
    # Imported here: its metadata takes 50 ms to load, and the usual shapes never need it.
    import phonenumbers

    try:
        written = read_written(number)
    except UnreadableError as exc:
        raise InvalidMessageError(f"the phone number {number!r} {exc}") from None
    parsed = _read(written, number, region)
    if isinstance(parsed, str):
        return parsed
    if mobile_only and phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE:
        raise InvalidMessageError(f"the phone number {number!r} is a landline")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _read(written: Written, number: str, region: str | None) -> PhoneNumber | str:
    """Return the one number that was written; in E.164, if its shape says which it is."""
    fast = _FAST.get(region)
    if fast is not None and (match := fast.fullmatch(written.digits)):
        return _PREFIX[region] + match[1]
    if match := (_ANYWHERE if region is None else _ABROAD).fullmatch(written.digits):
        return _joined(match)
    parsed = _valid(written.digits, region)
    shorter = None if written.without_trunk is None else _valid(written.without_trunk, region)
    if parsed is not None and shorter is not None and parsed != shorter:
        raise InvalidMessageError(
            f"the phone number {number!r} is one with its (0), and another without; write it "
            "with a plus sign, and without brackets"
        )
    parsed = shorter or parsed
    if parsed is None:
        raise _invalid(number, region, _why_invalid(written.digits, region))
    other = _with_its_country_code(written, parsed, region)
    if other is not None:
        parsed = _meant(written, parsed, other)
    if parsed is None:
        raise InvalidMessageError(
            f"the phone number {number!r} is one number of {region}, and another if it begins with "
            "its country code; write it with a plus sign and its country code"
        )
    if _holds_more(written, parsed, region):
        raise InvalidMessageError(
            f"the phone number {number!r} holds a whole number and something behind it; write one "
            "number, and nothing between its digits if it is one"
        )
    return parsed


def _with_its_country_code(
    written: Written, parsed: PhoneNumber, region: str | None
) -> PhoneNumber | None:
    """Return the other number that digits are which begin with the country code of their region.

    In Germany `4915112345678` is a mobile that lacks its plus sign, or a landline that lacks its
    zero.
    """
    code = str(parsed.country_code)
    if region is None or written.plus or not written.groups[0].startswith(code):
        return None
    for digits in (written.digits, written.without_trunk):
        named = None if digits is None else _valid(f"+{digits}", None)
        if named is not None and named != parsed and _is_somebodys(named):
            return named
    return None


def _is_somebodys(parsed: PhoneNumber) -> bool:
    """Return whether a number may be a person's, and not one with a rate of its own."""
    import phonenumbers

    kinds = phonenumbers.PhoneNumberType
    return phonenumbers.number_type(parsed) not in (
        kinds.PREMIUM_RATE,
        kinds.SHARED_COST,
        kinds.TOLL_FREE,
        kinds.PAGER,
        kinds.UAN,
        kinds.VOICEMAIL,
    )


def _meant(written: Written, national: PhoneNumber, other: PhoneNumber) -> PhoneNumber | None:
    """Return which of two numbers is written, if it is grouped as only that one is."""
    if len(written.groups) == 1:
        return None
    usual = [each for each in (national, other) if _is_grouped_as_usual(written, each)]
    return usual[0] if len(usual) == 1 else None


def _holds_more(written: Written, parsed: PhoneNumber, region: str | None) -> bool:
    """Return whether a number may be another one with something behind it, by how it is grouped.

    In countries whose numbers vary in length `62812345678 8` is one number by its digits, and
    somebody else's than `62812345678`. What counts is where a whole number ends, and the next
    group is shorter, or that number is grouped as it would be alone.
    """
    if len(written.groups) == 1 or _is_grouped_as_usual(written, parsed):
        return False
    for place, beginning in enumerate(written.beginnings(), 1):
        short = beginning.plus and len(beginning.digits) < _SHORTEST
        alone = None if short else _valid(beginning.digits, region)
        if alone is not None and (
            written.drops_to(place) or _is_grouped_as_usual(beginning, alone)
        ):
            return True
    return False


def _valid(digits: str, region: str | None) -> PhoneNumber | None:
    """Return the number that digits are, if they are one."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(_named(digits, region), region)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None


def _named(digits: str, region: str | None) -> str:
    """Return digits with the plus sign that nobody writes where every number is international."""
    if region is not None or digits.startswith("+"):
        return digits
    return "+" + digits.removeprefix("00")


def _is_grouped_as_usual(written: Written, parsed: PhoneNumber) -> bool:
    """Return whether a number is grouped as it is in its own country."""
    import phonenumbers

    formats = phonenumbers.PhoneNumberFormat
    return any(
        written.groups == read_written(phonenumbers.format_number(parsed, format_)).groups
        for format_ in (formats.INTERNATIONAL, formats.NATIONAL)
    )


def _why_invalid(digits: str, region: str | None) -> str:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(_named(digits, region), region)
    except phonenumbers.NumberParseException:
        return "is not a phone number"
    return {
        phonenumbers.ValidationResult.TOO_SHORT: "is too short",
        phonenumbers.ValidationResult.TOO_LONG: "is too long",
    }.get(phonenumbers.is_possible_number_with_reason(parsed), "is not a valid phone number")


def _invalid(number: str, region: str | None, why: str) -> InvalidMessageError:
    if region is None:
        return InvalidMessageError(
            f"the phone number {number!r} {why}, read with its country code; write that in front, "
            "or give the provider a region for national numbers (region=, in an address ?region=)"
        )
    return InvalidMessageError(f"the phone number {number!r} {why} (read as one of {region})")


@frozen
class NumberFacts:
    """What a number says by itself.

    Args:
        region: Two-letter region, or `"001"` for a number of no country.
        landline: Whether it is certainly a landline.
    """

    region: str
    landline: bool = False


# A plan has two groups in the pattern: country code and national part.
_MOBILE_FACTS = tuple(NumberFacts(region) for region in MOBILE_PLANS)
_NO_COUNTRY = "001"


def facts_of(e164: str) -> NumberFacts:
    """Return the country of a number, and whether it is a landline."""
    if match := _ABROAD.fullmatch(e164):
        return _MOBILE_FACTS[(match.lastindex or 0) // 2 - 1]
    import phonenumbers

    parsed = phonenumbers.parse(e164)
    landline = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE
    return NumberFacts(phonenumbers.region_code_for_number(parsed) or _NO_COUNTRY, landline)


def mask_number(number: str) -> str:
    """Return a number fit for a log: the first digits and the last two."""
    return f"{number[:-6]}****{number[-2:]}" if len(number) > 8 else "****"
