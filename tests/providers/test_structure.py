from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from iprog_async.adapter import (
    Id,
    UnclearAnswer,
    amount_or_none,
    count_or_none,
    id_or_none,
    names_errors,
    parse_amount,
    structure,
)


@frozen
class Item:
    """One of many."""

    id: Id
    cost: Decimal | None = None


@frozen
class Page:
    """What an answer could look like."""

    name: str
    count: int
    done: bool
    items: list[Item]


GOOD: dict[str, Any] = {"name": "a", "count": 2, "done": True, "items": [{"id": 7, "cost": "1.5"}]}


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner) | st.dictionaries(st.text(), inner)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    _containers,
    max_leaves=10,
)


def test_answers_become_objects() -> None:
    """Ids may be numbers, keys that nobody knows are ignored."""
    expected = Page("a", 2, True, [Item(Id("7"), Decimal("1.5"))])

    assert expected == structure({**GOOD, "count": "2", "extra": []}, Page)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"name": None}, r"\$\.name"),
        ({"name": 5}, r"\$\.name"),
        ({"count": True}, r"\$\.count"),
        ({"count": 1.5}, r"\$\.count"),
        ({"count": "many"}, r"\$\.count"),
        ({"done": "true"}, r"\$\.done"),
        ({"done": 1}, r"\$\.done"),
        ({"items": None}, r"\$\.items"),
        ({"items": [{"id": ""}]}, r"\$\.items\[0\]\.id"),
        ({"items": [{"id": True}]}, r"\$\.items\[0\]\.id"),
        ({"items": [{"id": 1.5}]}, r"\$\.items\[0\]\.id"),
        ({"items": [{"id": 1, "cost": "free"}]}, r"\$\.items\[0\]\.cost"),
    ],
)
def test_wrong_kinds_are_unclear_and_placed(wrong: dict[str, Any], place: str) -> None:
    """Nothing is guessed: a value of the wrong kind makes the answer unclear, at its place."""
    with pytest.raises(UnclearAnswer, match=place):
        structure({**GOOD, **wrong}, Page)


def test_reason_quotes_no_value() -> None:
    """The answer may hold a code that no error may show."""
    with pytest.raises(UnclearAnswer) as caught:
        structure({"name": 123456, "count": "S3CRET", "done": "S3CRET", "items": "S3CRET"}, Page)

    assert not {"123456", "S3CRET"} & set(caught.value.reason.replace("'", " ").split())


@given(JSON)
def test_any_json_is_an_object_or_unclear(data: object) -> None:
    """No answer makes anything but `UnclearAnswer` come out."""
    result: object
    try:
        result = structure(data, Page)
    except UnclearAnswer as exc:
        result = exc.reason

    assert isinstance(result, Page) or result


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, "1"), (0.1, "0.1"), ("1,234.50", "1234.50"), (" 7 ", "7"), (-3, "-3")],
)
def test_amounts(value: object, expected: str) -> None:
    """Numbers, and strings with separators, are amounts; nothing is lost to floats."""
    assert Decimal(expected) == parse_amount(value)
    assert Decimal(expected) == amount_or_none(value)


@pytest.mark.parametrize("value", ["0,70", "1.234,50", "1,23", "12,34,567.00", ",5", "1,234,5"])
def test_a_comma_that_may_be_a_decimal_point_makes_no_amount(value: str) -> None:
    """What may be less than one, or seventy, is neither."""
    with pytest.raises(ValueError, match="is no amount"):
        parse_amount(value)


@pytest.mark.parametrize("value", [None, True, "", "free", "nan", "inf", float("inf"), [], b"1"])
def test_what_is_no_amount(value: object) -> None:
    """All else is refused, or nothing where the amount is not needed."""
    with pytest.raises(ValueError, match="is no amount"):
        parse_amount(value)
    assert amount_or_none(value) is None


NO_IDS: list[object] = [
    *(None, True, False, 1.5, [], {}, 0, -1, "", " ", "0", "000", "-1", "null", "None", "(null)"),
    *("nil", "NaN", "undefined", "false", "true", "n/a", "error", "failed", "***", "-"),
    "00000000-0000-0000-0000-000000000000",
    # What is not in one piece, or has what no id has.
    *("Error 22", "Error 22: route down", "invalid number 639171234561", "a 1", "a\u00a01", "a\n1"),
    *("1, 2", "'1'", '{"id":1}', "[1]", "f(1)", "1;2", "<a1>"),
]


@pytest.mark.parametrize("value", NO_IDS, ids=repr)
def test_what_stands_for_no_id_is_none(value: object) -> None:
    """Gateways write an id that there is none of in many ways, and none of them is an id."""
    assert id_or_none(value) is None
    with pytest.raises(UnclearAnswer):
        structure({"id": value}, Item)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, "7"),
        (" a1 ", "a1"),
        ("iSms-2GfhbG", "iSms-2GfhbG"),
        ("nullify", "nullify"),
        ("error-7", "error-7"),
        ("10", "10"),
        ("a.b:c/d+e=f|g~h@i_j-1", "a.b:c/d+e=f|g~h@i_j-1"),
        ("69fae844ac49b", "69fae844ac49b"),
        ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_an_id_may_look_like_anything_else(value: object, expected: str) -> None:
    """Ids are opaque; blanks around them are dropped."""
    assert expected == id_or_none(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2, 2),
        ("2", 2),
        (" 2 ", 2),
        (1.0, 1),
        ("4_05", None),
        (1.5, None),
        ("1.0", None),
        ("two", None),
        (True, None),
        (None, None),
        (float("inf"), None),
        (float("nan"), None),
    ],
)
def test_a_count_is_a_whole_number(value: object, expected: int | None) -> None:
    """As a number or as text; what is no count says nothing."""
    assert expected == count_or_none(value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": "Insufficient balance"}, True),
        ({"data": {"errors": ["x"]}}, True),
        ({"errors": {"to": ["x"]}}, True),
        ({"error": True}, True),
        ({"error": 17}, True),
        ({"error": None, "errors": [], "data": {"error": ""}}, False),
        ({"error": False}, False),
        ({"error": "0"}, False),
        ({"data": [{"error": "x"}]}, False),
        (["error"], False),
    ],
)
def test_an_error_in_a_success_is_seen(body: object, expected: bool) -> None:
    """What is filled counts; entries of a list speak for themselves."""
    assert expected == names_errors(body)
