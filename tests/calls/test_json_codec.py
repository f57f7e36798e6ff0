"""JSON is read and written the same, whether orjson is installed or not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async._core.json_types import DEEPEST
from iprog_async._core.sealed import Secret
from iprog_async._http import json_codec
from iprog_async._http.json_codec import read_json, write_json


def _read(text: str) -> object:
    """Return what is read, by its `repr`: `1` is not `1.0`, and no number is itself."""
    try:
        return repr(read_json(text))
    except (ValueError, RecursionError):
        return "no JSON"


def _written(body: object) -> str:
    try:
        return write_json(body).decode()
    except (TypeError, ValueError, RecursionError) as exc:
        return type(exc).__name__


def _by_each(monkeypatch: pytest.MonkeyPatch, work: Any, given: object) -> list[object]:
    with_it = work(given)
    with monkeypatch.context() as without:
        without.setattr(json_codec, "orjson", None)
        return [with_it, work(given)]


READ = [
    ('{"id": 1}', "{'id': 1}"),
    (' \r\n\t{"id": "1"} \n', "{'id': '1'}"),
    ("18446744073709551616", "18446744073709551616"),
    (
        '{"data": [{"id": 123456789012345678901234}]}',
        "{'data': [{'id': 123456789012345678901234}]}",
    ),
    ('{"a": [[]], "id": -9223372036854775809}', "{'a': [[]], 'id': -9223372036854775809}"),
    ("1e400", "inf"),
    ("1E2", "100.0"),
    (r'"\ud800"', r"'\ud800'"),
    ('{"id": 1, "id": 2}', "{'id': 2}"),
    ("NaN", "no JSON"),
    ('{"a": Infinity}', "no JSON"),
    ("{} {}", "no JSON"),
    ("\v{}", "no JSON"),
    ("\u00a0{}", "no JSON"),
    ('"\n"', "no JSON"),
    ("", "no JSON"),
    ("[" * DEEPEST + "]" * DEEPEST, "[" * DEEPEST + "]" * DEEPEST),
    ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "no JSON"),
    ('{"a":' * 5000 + "1" + "}" * 5000, "no JSON"),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_read(text: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python's own reader makes of a text is what is read, up to a hundred levels."""
    assert [expected, expected] == _by_each(monkeypatch, _read, text)


WRITTEN: list[tuple[object, str]] = [
    ({"text": 'é "1"\n\x7f\x1f\u2028/\\'}, '{"text":"é \\"1\\"\\n\x7f\\u001f\u2028/\\\\"}'),
    ({"token": Secret("secret")}, '{"token":"secret"}'),
    ({"id": 2**70, "list": [1, None, True]}, '{"id":1180591620717411303424,"list":[1,null,true]}'),
    ({1: "a"}, '{"1":"a"}'),
    ({"half": "\ud800"}, "UnicodeEncodeError"),
    ({"none": {1}}, "TypeError"),
    ([], "[]"),
]


@pytest.mark.parametrize(("body", "expected"), WRITTEN)
def test_write(body: object, expected: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body is written in the fewest bytes, or refused for the same reason."""
    assert [expected, expected] == _by_each(monkeypatch, _written, body)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_anything_is_read_the_same(value: object) -> None:
    """Whatever JSON can say is read as Python's own reader reads it."""
    text = json.dumps(value)
    assert repr(json.loads(text)) == _read(text)


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_anything_is_written_the_same(body: dict[str, str]) -> None:
    """Whatever texts a body holds, they are written as Python's own writer writes them."""
    expected = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    assert expected.encode() == write_json(body)
