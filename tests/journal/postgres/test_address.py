from __future__ import annotations

import pickle
import traceback
from pathlib import Path

import pytest

from iprog_async import Journal, JournalError, Suppressions, SuppressionsError
from iprog_async._journal.postgres.address import PostgresAddress, is_address


PASSWORD = "h0rse%2Fstaple"
SPELLINGS = (PASSWORD, "h0rse/staple")


@pytest.mark.parametrize(
    ("address", "shown", "schema"),
    [
        ("postgresql://h/d", "postgresql://h/d", "iprog_async"),
        (f"postgres://u:{PASSWORD}@h:5432/d", "postgresql://u@h:5432/d", "iprog_async"),
        (f"POSTGRESQL://u:{PASSWORD}@h/d", "postgresql://u@h/d", "iprog_async"),
        ("postgresql://u@h/d?schema=sms", "postgresql://u@h/d?schema=sms", "sms"),
        (
            f"postgresql://u@a:1,b:2/d?password={PASSWORD}",
            "postgresql://u@a:1,b:2/d",
            "iprog_async",
        ),
        ("postgresql:///d?host=/run/pg", "postgresql:///d?host=/run/pg", "iprog_async"),
        (f"postgresql://u:{PASSWORD}@[::1]:5/d", "postgresql://u@[::1]:5/d", "iprog_async"),
    ],
)
def test_what_is_shown(address: str, shown: str, schema: str) -> None:
    """People see user, host, database and schema, and never a password."""
    parsed = PostgresAddress.parse(address)
    assert (shown, schema, shown) == (parsed.shown, parsed.schema, str(parsed))
    assert not any(spelling in repr(parsed) for spelling in SPELLINGS)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"mysql://u:{PASSWORD}@h/d", "no journal is kept in mysql://"),
        (f"postgresql+asyncpg://u:{PASSWORD}@h/d", r"no journal is kept in postgresql\+asyncpg://"),
        (f"postgresql:/u:{PASSWORD}@h/d", "does not begin with postgresql://"),
        (f"postgresql//u:{PASSWORD}@h/d", "does not begin with postgresql://"),
        (f" postgresql://u:{PASSWORD}@h/d", "does not begin with postgresql://"),
        (f'"postgresql://u:{PASSWORD}@h/d"', "does not begin with postgresql://"),
        (f"jdbc:postgresql://h/d?password={PASSWORD}", "does not begin with postgresql://"),
        (f"host=h dbname=d password={PASSWORD}", "does not begin with postgresql://"),
        (f"Password = {PASSWORD} host=h", "does not begin with postgresql://"),
        ("postgresql://u:h0rse/staple@h/d", "no host, or a port that is no number"),
        ("postgresql://u:1/h0rse/staple@h/d", "can't be read"),
        ("postgresql://u:h0rse#staple@h/d", "no host, or a port that is no number"),
        ("postgresql://u:h0rse@staple@h/d", "two @"),
        ("postgresql://u:1?h0rse@h/d", "what follows its \\? can't be read"),
        (f"postgresql://u:{PASSWORD}@h/d?schema=Sms", "the schema 'Sms'"),
        (f"postgresql://u:{PASSWORD}@h/d?schema=", "the schema ''"),
        (f"postgresql://u:{PASSWORD}@h/d\n", "can't be read"),
        (f"postgresql://u:{PASSWORD}@[::1/d", "can't be read"),
        (f"postgresql://u:{PASSWORD}%word@h/d", "a % itself is %25"),
        (f"postgresql://u:{PASSWORD}%E9@h/d", "a % itself is %25"),
        (f"postgresql://u:{PASSWORD}%00@h/d", "a % itself is %25"),
        (f"postgresql://u:{PASSWORD}%@h/d", "a % itself is %25"),
        (f"postgresql://u%E9:{PASSWORD}@h/d", "a % itself is %25"),
        (f"postgresql://u@h/d?password={PASSWORD}%zz", "a % itself is %25"),
        (f"postgresql://u:{PASSWORD}@h/d%C3", "a % itself is %25"),
    ],
)
def test_a_wrong_address(address: str, why: str) -> None:
    """An address that can't be right is an error that says how to write it, without a password."""
    with pytest.raises(JournalError, match=why) as caught:
        Journal.open(address)
    with pytest.raises(SuppressionsError, match=why):
        Suppressions.open(address)
    told = "".join(traceback.format_exception(caught.value))
    assert "%40" in str(caught.value)
    assert not any(spelling in told for spelling in (*SPELLINGS, "h0rse"))
    assert "Nothing was sent" in told


def test_a_password_goes_nowhere() -> None:
    """An address can't be pickled, which would write its password down."""
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(PostgresAddress.parse(f"postgresql://u:{PASSWORD}@h/d"))


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("june.db", False),
        ("./postgres/june.db", False),
        ("C:\\june.db", False),
        ("hosts.db", False),
        ("user/june=1.db", False),
        (Path("postgresql:") / "x", False),
        ("postgresql://h/d", True),
        ("postgres:h", True),
        ("redis://h", True),
    ],
)
def test_a_path_is_no_address(place: str | Path, expected: bool) -> None:
    """Whatever has a scheme is an address, and a path is what it was."""
    assert expected is is_address(place)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"PGSERVICE": "nowhere"}, "PGSERVICE"),
        ({"PGSSLMODE": "bogus", "PGPASSWORD": PASSWORD}, "PGSSLMODE"),
        ({"PGPORT": "abc"}, "PGPORT"),
        ({"PGSERVICE": "a", "PGSERVICEFILE": "/nowhere"}, "PGSERVICE, PGSERVICEFILE"),
    ],
)
def test_a_variable_of_libpq_that_is_wrong_is_named(
    variables: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who wrote a right address is told which variable of the environment is wrong."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(JournalError, match="can't reach the journal") as caught:
        Journal.open(f"postgresql://u@/d?host={tmp_path}")

    assert f"(the environment sets {named})" in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_what_the_address_says_is_not_laid_on_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A setting of the address goes before the variable."""
    monkeypatch.setenv("PGSSLMODE", "require")
    with pytest.raises(JournalError, match="can't reach the journal") as caught:
        Journal.open(f"postgresql://u@/d?host={tmp_path}&sslmode=bogus")

    assert "the environment sets" not in str(caught.value)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """An unreachable server is one error that says what to look at, and keeps the password."""
    address = f"postgresql://u:{PASSWORD}@/d?host={tmp_path}"
    with pytest.raises(JournalError, match="can't reach the journal") as caught:
        Journal.open(address)
    told = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert not any(spelling in told.replace(repr(address), "") for spelling in SPELLINGS)
    assert "Check that the server runs" in str(caught.value)
