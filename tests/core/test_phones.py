from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async import ConfigurationError, InvalidMessageError
from iprog_async._core.phones import mask_number, to_region
from iprog_async.adapter import to_e164


@pytest.mark.parametrize(
    ("given_as", "region", "expected"),
    [
        ("0917 123 4567", "PH", "+639171234567"),
        ("+63 917 123 4567", "PH", "+639171234567"),
        ("9171234567", "PH", "+639171234567"),
        ("00639171234567", "PH", "+639171234567"),
        ("639171234567", "PH", "+639171234567"),
        ("+63 (0)917 123-4567", "PH", "+639171234567"),
        ("(0917) 123.4567", "PH", "+639171234567"),
        ("\u00a00917\u2011123\u20114567\n", "PH", "+639171234567"),
        ("０９１７１２３４５６７", "PH", "+639171234567"),  # noqa: RUF001 - fullwidth digits are the case
        ("+1 202 555 0123", "PH", "+12025550123"),
        ("0772123456", "UG", "+256772123456"),
        ("+256 772 123456", "UG", "+256772123456"),
        ("256772123456", "UG", "+256772123456"),
        ("772123456", "UG", "+256772123456"),
        ("+639171234567", None, "+639171234567"),
        ("639171234567", None, "+639171234567"),
        ("00639171234567", None, "+639171234567"),
        ("+44 20 7946 0958", None, "+442079460958"),
    ],
)
def test_numbers_as_people_write_them(given_as: str, region: str | None, expected: str) -> None:
    """Every usual way to write a number gives the same E.164."""
    assert expected == to_e164(given_as, region)


@pytest.mark.parametrize("region", ["PH", "UG", None])
@pytest.mark.parametrize(
    ("given_as", "why"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        (None, "is empty"),
        (639171234567, "is of type int"),
        ("0917-CALL-NOW", "has letters"),
        ("91712345.67", "written as an amount"),
        ("917123456.7", "written as an amount"),
        ("9171234,567", "written as an amount"),
        ("+6391712345.67", "written as an amount"),
        ("-9171234567", "written as an amount"),
        (" \u2212639171234567", "written as an amount"),
        ("\u2013256701234567", "written as an amount"),
        ("+63 917 123 4567 ext. 5", "has letters"),
        ("+639171234567#5", "has an extension"),
        ("+63 91", "is too short"),
        ("+63917123456789012", "is too long"),
        ("+999123456789", "is not a"),
        ("09171234567/09181234567", "has '/' in it"),
        ("++", "is not a phone number"),
        ("*143#", "has '*' in it"),
    ],
)
def test_what_is_no_number_is_refused(given_as: object, why: str, region: str | None) -> None:
    """The error quotes the number as given and says what is wrong."""
    with pytest.raises(InvalidMessageError) as caught:
        to_e164(given_as, region)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - rows of a file hold anything

    assert repr(given_as) in str(caught.value)
    assert why in str(caught.value)


def test_landline_is_refused_where_only_mobiles_are_reached() -> None:
    """A certain landline is refused on demand."""
    with pytest.raises(InvalidMessageError, match="is a landline"):
        to_e164("(02) 8888 1234", "PH", mobile_only=True)


def test_landline_is_taken_where_the_gateway_reaches_it() -> None:
    """Without the demand a landline is a number like any other."""
    assert "+63288881234" == to_e164("(02) 8888 1234", "PH")


def test_national_number_without_region_asks_for_the_country_code() -> None:
    """The error says how to write the number instead."""
    with pytest.raises(InvalidMessageError, match="country code"):
        to_e164("0917 123 4567")


@given(
    st.text(st.characters(exclude_categories=())) | st.text("+0639-() ./xA#;,"),
    st.sampled_from(["PH", "UG", "XX", None]),
)
def test_anything_is_a_number_or_an_invalid_message(text: str, region: str | None) -> None:
    """Whatever a row holds, nothing but `InvalidMessageError` comes out."""
    refusal, number = repr(text), "+0"
    try:
        number = to_e164(text, region)
    except InvalidMessageError as exc:
        refusal = str(exc)

    assert repr(text) in refusal
    assert number[1:].isdecimal()
    assert number.startswith("+")


@given(
    st.sampled_from([("PH", 63, "9"), ("UG", 256, "7")]),
    st.integers(0, 10**9 - 1),
    st.sampled_from(["+{0}{1}", "00{0}{1}", "{0}{1}", "0{1}", "{1}", "+{0} (0){1}", "+{0}-{1}"]),
)
def test_fast_path_agrees_with_phonenumbers(
    plan: tuple[str, int, str], digits: int, form: str
) -> None:
    """Where phonenumbers knows a mobile number, skipping it changes nothing."""
    region, country, first = plan
    rest = f"{digits:09}" if region == "PH" else f"{digits % 10**8:08}"
    parsed = phonenumbers.parse(f"+{country}{first}{rest}")
    expected = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)

    assert expected == to_e164(form.format(country, first + rest), region)


@pytest.mark.parametrize(("value", "expected"), [(None, None), ("PH", "PH"), (" ng\n", "NG")])
def test_regions_are_upper_case(value: str | None, expected: str | None) -> None:
    """A region may be written small; without one, numbers are international."""
    assert expected == to_region(value)


@pytest.mark.parametrize("value", ["", "PHL", "P1", "ÑG"])
def test_what_is_no_region_is_refused(value: str) -> None:
    """A wrong setting shows when the provider is made."""
    with pytest.raises(ConfigurationError, match="two letters"):
        to_region(value)


@pytest.mark.parametrize(
    ("number", "expected"),
    [("+639171234567", "+639171****67"), ("12345678", "****"), ("", "****")],
)
def test_masked_numbers_keep_the_ends(number: str, expected: str) -> None:
    """A log shows enough to recognise a number and too little to dial it."""
    assert expected == mask_number(number)
