from __future__ import annotations

from collections.abc import Callable

import pytest
from support.cli.vendor import MOBILE, Vendors

from iprog_async.sandbox import Fault


_AT = ["--at", "2099-01-31 08:00"]
_CREATE = ["reminder", "create", MOBILE, "See you"]


def test_create(vendors: Vendors) -> None:
    """A reminder is told with its text and its time, on the gateway's clock."""
    ran = vendors(*_CREATE, *_AT)
    first, text = ran.out.splitlines()

    assert first.startswith("Reminder ")
    assert first.endswith(" to 639171234567: scheduled for 2099-01-31 08:00 (Asia/Manila)")
    assert "  See you" == text


def test_json(vendors: Vendors) -> None:
    """The JSON has the reminder's own facts, and `get` shows the same."""
    made = vendors(*_CREATE, *_AT, "--json").json
    expected = {
        "id": made["id"],
        "phone_number": "639171234567",
        "message": "See you",
        "scheduled_at": "2099-01-31T08:00:00+08:00",
        "status": "scheduled",
    }
    assert expected == made == vendors("reminder", "get", made["id"], "--json").json


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--at", "2099-01-31 01:00", "--tz", "Europe/Berlin"], "2099-01-31T08:00:00+08:00"),
        (["--at", "2099-01-31 00:00Z"], "2099-01-31T08:00:00+08:00"),
        # The offset says it all.
        (["--at", "2099-01-31 00:00Z", "--tz", "Europe/Berlin"], "2099-01-31T08:00:00+08:00"),
    ],
)
def test_zones(vendors: Vendors, options: list[str], expected: str) -> None:
    """`--tz` says whose clocks are meant, unless the time has an offset."""
    made = vendors(*_CREATE, *options, "--json").json
    assert expected == made["scheduled_at"]


def test_shown_in_a_zone(vendors: Vendors) -> None:
    """`--tz` also says on whose clock a time is shown."""
    made = vendors.reminder()
    out = vendors("reminder", "get", f"reminder:{made}", "--tz", "Europe/Berlin").out
    assert out.splitlines()[0].endswith("2099-01-31 01:00 (Europe/Berlin)")


def test_by_the_ref(vendors: Vendors) -> None:
    """The ref that a scheduled text was told by is taken wherever an id is."""
    sent = vendors("send", MOBILE, "See you", "--at", "2099-01-31 08:00", "--json", gateway="iprog")
    ref = sent.json["ref"]

    assert ref.startswith("iprog:reminder:")
    did = [["get", ref], ["update", ref, "--text", "Soon"], ["delete", ref, "--yes"]]
    assert [0, 0, 0] == [vendors("reminder", *words).code for words in did]
    assert 4 == vendors("reminder", "get", ref).code


def test_update(vendors: Vendors) -> None:
    """What is given changes, and the rest stays."""
    made = vendors.reminder()
    later = vendors("reminder", "update", made, "--at", "2099-02-01 08:00", "--json").json
    other = vendors("reminder", "update", made, "--text=-5 % today", "--to", "09180000000").out

    assert ("See you", "2099-02-01T08:00:00+08:00") == (later["message"], later["scheduled_at"])
    assert other.splitlines() == [
        f"Reminder {made} to 639180000000: scheduled for 2099-02-01 08:00 (Asia/Manila)",
        "  -5 % today",
    ]


def test_delete(vendors: Vendors) -> None:
    """A deleted reminder is not there any more."""
    first, second = vendors.reminder(), vendors.reminder()
    words = vendors("reminder", "delete", first, "--yes")
    data = vendors("reminder", "delete", second, "--yes", "--json")

    assert (0, f"Deleted the reminder {first}\n") == (words.code, words.out)
    assert {"id": second, "deleted": True} == data.json
    assert [4, 4] == [vendors("reminder", "get", one).code for one in (first, second)]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_nobody_to_ask(vendors: Vendors, options: list[str]) -> None:
    """Without a terminal and without `--yes` nothing is deleted."""
    made = vendors.reminder()
    ran = vendors("reminder", "delete", made, *options)
    said = ran.err or ran.error["message"]

    assert (2, 0) == (ran.code, vendors("reminder", "get", made).code)
    assert said.strip().endswith("add --yes to do it")


def _typed(line: str | BaseException) -> Callable[[str], str]:
    """Return what answers a question, or ends it."""

    def answer(_: str) -> str:
        if isinstance(line, BaseException):
            raise line
        return line

    return answer


@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [
        ("y\n", 0, 4),
        ("YES\n", 0, 4),
        ("n\n", 130, 0),
        ("\n", 130, 0),
        (EOFError(), 130, 0),
        (KeyboardInterrupt(), 130, 0),
    ],
)
def test_asking(
    vendors: Vendors,
    monkeypatch: pytest.MonkeyPatch,
    answer: str | BaseException,
    code: int,
    left: int,
) -> None:
    """At a terminal somebody is asked, and only a yes deletes."""
    made = vendors.reminder()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("iprog_async.cli._terminal.confirm.ask", _typed(answer))
    ran = vendors("reminder", "delete", made)

    assert (code, left) == (ran.code, vendors("reminder", "get", made).code)
    assert (code == 130) == ran.err.endswith("stopped; nothing was done\n")


@pytest.mark.parametrize("kind", ["drop_after", "status_after", "garbage"])
def test_unknown(vendors: Vendors, kind: str) -> None:
    """A lost answer is code 6 and says that the reminder may be there; it was asked for once."""
    before = int(vendors.reminder())
    vendors.sandbox.add_fault(Fault("POST /iprog/*", kind))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the table above holds only kinds
    ran = vendors(*_CREATE, *_AT)

    assert (6, True) == (ran.code, ran.err.endswith("It may have been created\n"))
    assert before + 2 == int(vendors.reminder())


def test_stays_on_one_line(vendors: Vendors) -> None:
    """Control characters of a text reach no terminal."""
    made = vendors.reminder("red \x1b[31m and\nmore")
    assert "  red  [31m and more" == vendors("reminder", "get", made).out.splitlines()[1]


def test_leading_dash(vendors: Vendors) -> None:
    """A text that starts with a dash is refused with the way to write it, which works."""
    refused = vendors("reminder", "create", MOBILE, "-5 % today", *_AT)
    robbed = vendors("reminder", "update", "1", "--text", "-5 % today")

    assert (2, 2) == (refused.code, robbed.code)
    assert refused.err.endswith("iprog-async reminder create 0917… --at … -- '-5 % today'\n")
    assert robbed.err.endswith("written --text='-5 % today'\n")
    assert 0 == vendors("reminder", "create", MOBILE, *_AT, "--", "-5 % today").code


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize(
    ("tokens", "words"),
    [(["delete", "{}", "--yes"], "deleted"), (["update", "{}", "--text", "Bye"], "changed")],
)
def test_lost_answer(vendors: Vendors, tokens: list[str], words: str) -> None:
    """A change whose answer is lost may have been made, and the line says so."""
    made = vendors.reminder()
    vendors.sandbox.add_fault(Fault("* /iprog/*", "drop_after", times=None))
    ran = vendors("reminder", *(token.format(made) for token in tokens))

    assert ran.err.endswith(f"It may have been {words}: look before you repeat it\n")
