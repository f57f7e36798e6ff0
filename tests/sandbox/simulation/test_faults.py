from pathlib import Path
from typing import Any, get_args

import pytest

from iprog_async import ConfigurationError
from iprog_async.sandbox import Fault, FaultKind
from iprog_async.sandbox._simulation.fault_kinds import EFFECTS
from iprog_async.sandbox._simulation.faults import FaultRegistry


@pytest.mark.parametrize(
    ("route", "method", "path", "matches"),
    [
        ("POST /iprog/api/v1/sms_messages*", "POST", "/iprog/api/v1/sms_messages", True),
        ("POST /iprog/api/v1/sms_messages*", "POST", "/iprog/api/v1/sms_messages/send_bulk", True),
        ("POST /iprog/api/v1/sms_messages*", "GET", "/iprog/api/v1/sms_messages", False),
        ("POST /iprog/api/v1/sms_messages*", "POST", "/iprog/api/v1/otp", False),
        ("* /iprog/*", "DELETE", "/iprog/x", True),
        ("GET /ugsms/v[12]/*", "GET", "/ugsms/v2/balance", True),
        ("GET /ugsms/V2/*", "GET", "/ugsms/v2/balance", False),
        ("*", "PATCH", "/anything", True),
    ],
)
def test_route_matches_like_file_names(route: str, method: str, path: str, matches: bool) -> None:
    """A route is compared with `METHOD /path` by the rules of file names, case and all."""
    assert matches == Fault(route, "status").matches(method, path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"route": "/iprog"}, "'POST /iprog/"),
        ({"route": "post /iprog"}, "'POST /iprog/"),
        ({"kind": "explode"}, "none of status, status_after, delay"),
        ({"times": 0}, "times is 1 or more, not 0"),
        ({"status": 199}, "status is 200 to 599, not 199"),
        ({"status": 600}, "status is 200 to 599, not 600"),
        ({"delay": -0.1}, "delay is 0 to 3600 seconds"),
        ({"delay": float("nan")}, "delay is 0 to 3600 seconds"),
        ({"kind": "delay"}, "needs delay="),
        ({"kind": "drop_after", "body": "x"}, "takes no body"),
        ({"kind": "truncate", "headers": {"Retry-After": "1"}}, "takes no body and headers"),
        ({"status": 204, "body": "x"}, "HTTP 204 can't have a body"),
        ({"body": "half \ud83d"}, "half a surrogate pair"),
        ({"headers": {"Retry After": "1"}}, "'Retry After' is no name and value"),
        ({"headers": {"Retry-After": "1\r\nX: y"}}, "'Retry-After' is no name and value"),
        ({"headers": {"Content-Length": "1"}}, "'Content-Length' is set by the server"),
    ],
)
def test_fault_refuses_what_makes_no_sense(values: dict[str, Any], words: str) -> None:
    """A fault that can't be played is refused when it is made, in words that help."""
    kwargs: dict[str, Any] = {"route": "*", "kind": "status", **values}
    with pytest.raises(ConfigurationError, match=words.replace("*", r"\*")):
        Fault(**kwargs)


def test_first_match_wins_until_it_is_used_up() -> None:
    """Of two faults that match, the second comes when the first is used up."""
    book = FaultRegistry()
    book.add(Fault("GET /elsewhere", "status"))
    book.add(Fault("POST *", "status", times=2, status=500))
    book.add(Fault("*", "status", status=502))
    taken = [book.take("POST", "/iprog") for _ in range(4)]
    assert [fault and fault.status for fault in taken] == [500, 500, 502, None]


def test_book_tells_how_many_times_are_left() -> None:
    """The list of faults shows what is left of each, and `None` is never used up."""
    book = FaultRegistry()
    book.add(Fault("POST *", "status", times=3))
    book.add(Fault("GET *", "status", times=None))
    for method in ("POST", "GET", "GET"):
        book.take(method, "/iprog")
    assert [fault.times for fault in book.list()] == [2, None]
    assert book.clear() == 2
    assert book.list() == []


def test_every_kind_is_named_wherever_people_look() -> None:
    """The table of effects, the type, the docstring and the page on testing know the same kinds."""
    page = Path(__file__).parents[3].joinpath("docs/testing.md").read_text("utf-8")

    assert get_args(FaultKind) == tuple(EFFECTS)
    for kind in EFFECTS:
        assert f'| `"{kind}"` |' in (Fault.__doc__ or "")
        assert f'| `"{kind}"` |' in page
