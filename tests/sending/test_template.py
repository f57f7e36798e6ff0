from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async import InvalidMessageError, Template


ROW = {"name": " Ann ", "First name": "Bo", "empty": "", "blank": " \t"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi", "Hi"),
        ("Hi {name}!", "Hi Ann!"),
        ("{ name }{name}", "AnnAnn"),
        ("{First name}", "Bo"),
        ("{{name}} costs {{5}}", "{name} costs {5}"),
        ("{{{name}}}", "{Ann}"),
    ],
)
def test_fill(text: str, expected: str) -> None:
    """Fields are filled without the blanks around a cell; doubled braces are braces."""
    assert expected == Template(text).fill(ROW)


def test_fields() -> None:
    """The fields are told once each, in order of appearance."""
    assert ("b", "a") == Template("{b}{a}{b}").fields


@pytest.mark.parametrize("name", ["missing", "empty", "blank"])
def test_no_text_with_a_hole(name: str) -> None:
    """A row without a value makes no text."""
    with pytest.raises(InvalidMessageError, match=f"'{name}' is empty"):
        Template(f"Hi {{{name}}}").fill(ROW)


@pytest.mark.parametrize(
    "text",
    [
        "{name.__class__}",
        "{name[0]}",
        "{name!r}",
        "{name:>99}",
        "{name:{width}}",
        "{}",
        "{ }",
        "{name",
        "name}",
        "{a{b}}",
        "",
        " \n",
    ],
)
def test_more_than_plain_names(text: str) -> None:
    """Attributes, indexes, conversions, formats and lone braces are refused before any row."""
    with pytest.raises(InvalidMessageError):
        Template(text)


@given(st.text())
def test_doubled_braces_survive(text: str) -> None:
    """Any text is itself once its braces are doubled."""
    doubled = f"x{text}".replace("{", "{{").replace("}", "}}")
    assert f"x{text}" == Template(doubled).fill({})


@given(st.text())
def test_any_text_is_a_template_or_refused(text: str) -> None:
    """No text breaks the reading in another way."""
    try:
        fields = Template(text).fields
    except InvalidMessageError:
        return
    assert all(fields)
