"""Nobody but the person whose number stands in a cell is texted, in whatever country."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from iprog_async import InvalidMessageError
from iprog_async._core.phones import to_sender
from iprog_async.adapter import to_e164


REGIONS = sorted(
    region
    for region in phonenumbers.SUPPORTED_REGIONS
    if phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE) is not None
)
# Every writing in every country takes a while: these have plans that differ the most.
_ALWAYS = frozenset(
    (
        *("AR", "AT", "BR", "CI", "DE", "FI", "GB", "ID", "IN"),
        *("IT", "KE", "MX", "NG", "PH", "RU", "SG", "UG", "US"),
    )
)
BY_REGION = pytest.mark.parametrize(
    "region",
    [
        pytest.param(region, marks=() if region in _ALWAYS else pytest.mark.slow)
        for region in REGIONS
    ],
)

# Things that stand behind a number in files, and belong to something else.
BEHIND = [
    *("/8", " / 8", ";8", ",8", "|8", "+8", "x12", " x12", " ext. 12", "#8", "*8", "\n8"),
    *(" 8", "-8", ".8", " (8)", "\t8", "\u200b8", "\u3000\uff18", " 8 8", " - 8", "..0"),
    *(" 12", "-12", ".25", " 123", " 0", "-0", ".0", ".00", ",0"),
]
ARABIC = {ord("0") + digit: 0x660 + digit for digit in range(10)}
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)} | {ord("+"): 0xFF0B}


def written(region: str) -> tuple[str, str, str, str]:
    """Return a mobile number of a region as E.164, international, national, and its digits."""
    number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    assert number is not None
    e164, international, national = (
        phonenumbers.format_number(number, form)
        for form in (
            PhoneNumberFormat.E164,
            PhoneNumberFormat.INTERNATIONAL,
            PhoneNumberFormat.NATIONAL,
        )
    )
    return e164, international, national, re.sub(r"\D", "", national)


@pytest.mark.parametrize("region", REGIONS)
def test_usual_writing_is_understood(region: str) -> None:
    """International and national, with usual punctuation and in other scripts, it is the number."""
    e164, international, national, digits = written(region)
    forms = {
        None: [
            *(e164, e164[1:], f"00{e164[1:]}", international, international[1:], f"tel:{e164}"),
            *(international.replace(" ", sign) for sign in ("-", ".", "\u2011", "\u00a0")),
            *(f"{e164}.0", f"{e164[1:]}.00", f"'{e164}", f"\u202a{e164}\u202c"),
            *(e164.translate(FULL_WIDTH), e164.translate(ARABIC)),
        ],
        region: [
            *(e164, international, national, digits, f"{digits}.0", digits.translate(ARABIC)),
            *(national.replace(" ", sign) for sign in ("-", ".", "\u202f")),
        ],
    }

    found = {
        (form, home): to_e164(form, home) for home, writings in forms.items() for form in writings
    }

    assert {} == {writing: number for writing, number in found.items() if number != e164}


@pytest.mark.parametrize("region", REGIONS)
def test_country_code_without_its_plus_makes_no_other_number(region: str) -> None:
    """Digits that begin with the region's own country code are that number, or are refused."""
    e164 = written(region)[0]
    code = len(f"+{phonenumbers.country_code_for_region(region)}")
    international = [e164[1:], f"{e164[1:code]} {e164[code:]}", f"{e164[1:code]}(0){e164[code:]}"]

    assert [] == [found for each in international for found in _strangers(each, region, e164, [""])]
    assert e164 == to_sender(e164[1:], region)


@pytest.mark.parametrize(
    ("number", "region"),
    [
        ("4915112345678", "DE"),
        ("4917012345678", "DE"),
        ("49 151 12345678", "DE"),
        ("49 (0)151 12345678", "DE"),
        ("62812345678", "ID"),
        ("62218002398", "ID"),
        ("38343201234", "XK"),
        ("468551443", "SE"),
        ("3904022922", "IT"),
    ],
)
def test_digits_that_are_two_numbers_are_refused(number: str, region: str) -> None:
    """One with its country code, and one without it: nobody can know who is meant."""
    with pytest.raises(InvalidMessageError, match="with a plus sign"):
        to_e164(number, region)


@pytest.mark.parametrize(
    ("number", "region", "expected"),
    [
        ("49 1511 2345678", "DE", "+4915112345678"),
        ("62 812-345-678", "ID", "+62812345678"),
        ("390 402 2922", "IT", "+393904022922"),
        ("0491 5112345678", "DE", "+494915112345678"),
        ("(55) 90093-1147", "BR", "+5555900931147"),
        ("55900931147", "BR", "+5555900931147"),
        ("486495974", "PL", "+48486495974"),
    ],
)
def test_of_two_numbers_one_is_written(number: str, region: str, expected: str) -> None:
    """By how its digits are grouped, by its zero, or because the other one is nobody's."""
    assert expected == to_e164(number, region)


@pytest.mark.parametrize(
    ("number", "region", "expected"),
    [
        ("4915112345678", "DE", "+4915112345678"),
        ("62812345678", "ID", "+62812345678"),
        ("38343201234", "XK", "+38343201234"),
        ("3904022922", "IT", "+393904022922"),
        ("639171234567", "DE", "+639171234567"),
        ("+639171234567", "DE", "+639171234567"),
        ("015112345678", "DE", "+4915112345678"),
        ("17012345678", "DE", "+4917012345678"),
        ("09171234567", "PH", "+639171234567"),
        ("256701234567", "PH", "+256701234567"),
        ("639171234567", None, "+639171234567"),
    ],
)
def test_text_comes_from_a_mobile(number: str, region: str | None, expected: str) -> None:
    """Of two numbers that a gateway may mean, the sender is the one that sends texts."""
    assert expected == to_sender(number, region)


def test_sender_of_two_landlines_is_refused() -> None:
    """Neither of them sends texts."""
    with pytest.raises(InvalidMessageError, match="with a plus sign"):
        to_sender("468551443", "SE")


@BY_REGION
def test_what_stands_behind_a_number_makes_no_other_of_it(region: str) -> None:
    """A number with something behind it is that number or is refused, and never a stranger's."""
    e164, international, national, digits = written(region)
    wrong: list[tuple[str, str]] = []
    for number in (e164, e164[1:], international, international.replace(" ", "-")):
        wrong += _strangers(number, None, e164)
    for number in (e164, national, digits):
        wrong += _strangers(number, region, e164)

    assert [] == wrong


def _strangers(
    number: str, region: str | None, e164: str, endings: list[str] = BEHIND
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for behind in endings:
        try:
            read = to_e164(number + behind, region)
        except InvalidMessageError:
            continue
        if read != e164:
            found.append((number + behind, read))
    return found


@pytest.mark.parametrize(
    ("given_as", "region", "expected"),
    [
        ("62812345678.0", None, "+62812345678"),
        ("812345678.0", "ID", "+62812345678"),
        ("+62812345678,00", None, "+62812345678"),
        ("9171234567.0", "PH", "+639171234567"),
        ("639171234567.0", None, "+639171234567"),
        ('="09171234567"', "PH", "+639171234567"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("+62 (0)812-345-678", None, "+62812345678"),
        ("+39 (0)6 698 12345", None, "+390669812345"),
        ("(+62) 812 345 678", None, "+62812345678"),
        ("+358 50 123 45 67", None, "+358501234567"),
        ("0664 123 45 67", "AT", "+436641234567"),
        ("8 (912) 345-67-89", "RU", "+79123456789"),
    ],
)
def test_writings_that_programs_and_people_have(
    given_as: str, region: str | None, expected: str
) -> None:
    """What a data frame adds is dropped, and so is the zero in brackets."""
    assert expected == to_e164(given_as, region)


@pytest.mark.parametrize("region", [None, "ID", "PH", "FI"])
@pytest.mark.parametrize(
    ("given_as", "why"),
    [
        ("9.17123E+09", "shortened by a spreadsheet"),
        ("9,17E+11", "shortened by a spreadsheet"),
        ("6.28E11", "shortened by a spreadsheet"),
        ("+62812345678/8", "has '/' in it"),
        ("62812345678;62812345679", "has ';' in it"),
        ("62812345678,62812345679", "has ',' in it"),
        ("62812345678\n8", "has '\\n' in it"),
        ("62812345678x12", "has letters"),
        ("1-800-FLOWERS", "has letters"),
        ("tel:+1-202-555-0123;ext=5", "has letters"),
        ("+62812345678+8", "plus sign where none belongs"),
        ("62812345678 +62812345679", "plus sign where none belongs"),
        ("62812345678²", "has '²' in it"),
        ("+62812345678 8", "something behind it"),
    ],
)
def test_what_is_more_than_one_number_is_refused(
    given_as: str, why: str, region: str | None
) -> None:
    """The error says what is there besides a number."""
    with pytest.raises(InvalidMessageError) as caught:
        to_e164(given_as, region)

    assert repr(given_as) in str(caught.value)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("given_as", "region"),
    [
        ("917123456.0", "PH"),
        ("0917123456.0", "PH"),
        ("63917123456.0", "PH"),
        ("63917123456.00", None),
        ("+63917123456.0", "ID"),
        ("77212345.0", "UG"),
        ("25677212345.0", None),
    ],
)
def test_a_decimal_does_not_complete_a_number(given_as: str, region: str | None) -> None:
    """A number that lacks a digit stays too short, where all numbers have one length, too."""
    with pytest.raises(InvalidMessageError):
        to_e164(given_as, region)
