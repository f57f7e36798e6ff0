"""What is said to the database: claim, record, release, and looking up.

Values travel as arrays, a column each, so that a statement is the same for one row and for many,
and is planned once. The campaign's number stands in the text: the planner then sees one partition.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from attrs import frozen

from iprog_async._core.errors import JournalError
from iprog_async._journal.postgres.attempts import note_attempt
from iprog_async._journal.postgres.schema import quoted
from iprog_async._journal.pseudonyms import DIGITS, MARK, Pseudonyms, is_recalled, recalled
from iprog_async._journal.rows import Row


_ROW = "id, number, key, text_hash, run, state, healable, provider, detail, status, attempt"
_SAME = "coalesce('k' || {0}key, 't' || encode({0}text_hash, 'hex'))"
# What is waiting to be sent, or is still as this process has it. A claim that was made and not
# heard of any more, because the connection was lost, is found again by its own attempt.
_FREE = """(
    e.state = 'released' OR e.state = 'not_sent' AND e.healable
    OR e.attempt = w.seen AND e.state IN (w.seen_state, 'claimed')
    OR e.attempt = w.attempt AND e.state = 'claimed'
  )"""
_PAGE = 1000
LOCK_CLASS = 0x69_50_52_47
"""Class of the advisory locks that tell who is connected: "iPRG"."""

SESSION_SETTING = "iprog_async.session"
"""What an open journal sets in its session, to its own number, and finds there again."""
# Both for each claim, and at no cost of its own. The commit is durable also where a pooler has
# handed the statement to a session of which nothing is known.
_COMMIT = """commit AS MATERIALIZED (
  SELECT CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
    THEN set_config('synchronous_commit', 'on', true)
    ELSE current_setting('synchronous_commit') END AS waits
)"""
_IN_SESSION = (
    f"current_setting('{SESSION_SETTING}', true) IS NOT DISTINCT FROM (w.attempt >> 32)::text, "  # noqa: S608 - constants
    "(SELECT waits FROM commit)"
)


@frozen
class Array:
    """One column of many rows, as a parameter.

    Args:
        name: What the column is called within the statement.
        kind: PostgreSQL's name of its type.
        encode: Makes one value an element of an array, as text.
    """

    name: str
    kind: str
    encode: Callable[[Any], str]


def exact_text(value: str | None) -> str:
    """Return a text as an element of an array, for what is to be found again.

    Raises:
        ValueError: It has a character 0 or half a one, which PostgreSQL can't hold.
    """
    if value is None:
        return "NULL"
    if "\0" in value:
        raise ValueError("a text has a character 0")
    if not value.isascii():
        value.encode()
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def text(value: str | None) -> str:
    """Return words for people as an element of an array; what PostgreSQL can't hold is replaced."""
    if value is None:
        return "NULL"
    if not value.isascii():
        value = value.encode(errors="replace").decode()
    return exact_text(value.replace("\0", "\ufffd"))


def _truth(value: object) -> str:
    return "t" if value else "f"


_NUMBER, _KEY = Array("number", "text", exact_text), Array("key", "text", exact_text)
_HASH, _RUN = Array("hash", "text", bytes.hex), Array("run", "integer", str)
_ATTEMPT, _SEEN = Array("attempt", "bigint", str), Array("seen", "bigint", str)
_SEEN_STATE = Array("seen_state", "text", str)
_EVERY = Array("every", "boolean", _truth)
_HEEDS = Array("heeds", "boolean", _truth)
_ID = Array("id", "bigint", str)
_ENDED = (
    Array("state", "text", str),
    Array("healable", "boolean", _truth),
    Array("provider", "text", text),
    Array("detail", "text", text),
    Array("status", "text", text),
)
_IDENTITY = (_NUMBER, _KEY, _HASH)
_CHANGE = (_ID, Array("seen", "text", exact_text), *_ENDED[-2:])


@frozen
class Statement:
    """One statement over many rows.

    Args:
        sql: Its text.
        columns: Its parameters, a column each.
    """

    sql: str
    columns: tuple[Array, ...]

    def values(self, rows: Sequence[Sequence[Any]]) -> list[str]:
        """Return the parameters for some rows, each a tuple of the columns."""
        return [
            f"{{{','.join(map(column.encode, values))}}}"
            for column, values in zip(self.columns, zip(*rows, strict=True), strict=True)
        ]


def _wanted(columns: Iterable[Array]) -> str:
    columns = tuple(columns)
    arrays = ", ".join(f"%s::{column.kind}[]" for column in columns)
    return f"unnest({arrays}) AS w ({', '.join(column.name for column in columns)})"


_ENDED_NAMES = ", ".join(column.name for column in _ENDED)
_PUT = (*_IDENTITY, _RUN, _ATTEMPT, _SEEN, _SEEN_STATE, *_ENDED)
_CLAIM = (*_IDENTITY, _RUN, _ATTEMPT, _SEEN, _SEEN_STATE, _HEEDS, _EVERY)
_CLAIM_NEW = (*_IDENTITY, _RUN, _ATTEMPT)
_RECORD = (_ID, _ATTEMPT, *_ENDED)
_SETTLE = (_ID, _SEEN, *_ENDED)
_RELEASE = (*_IDENTITY, _ATTEMPT, *_ENDED)
_CLAIMED = "'claimed', false, '', '', NULL"
_SAME_AS_WANTED = (
    f"e.number = w.number AND {_SAME.format('e.')} = coalesce('k' || w.key, 't' || w.hash)"
)


class Statements:
    """The statements of one campaign.

    Args:
        schema: The schema.
        campaign: The campaign's number.
        pseudonyms: By which those are found who were forgotten; of one that only reads, nobody.
    """

    def __init__(self, schema: str, campaign: int, pseudonyms: Pseudonyms | None = None) -> None:
        pseudonyms = pseudonyms or Pseudonyms(b"")
        entries = f"{quoted(schema)}.entries"
        ours = f"e.campaign = {campaign}"
        into = (
            f"INSERT INTO {entries} "
            f"(campaign, number, key, text_hash, run, attempt, {_ENDED_NAMES})"
        )
        identity = f"{campaign}, w.number, w.key, decode(w.hash, 'hex'), w.run, w.attempt"
        ended = ", ".join(f"w.{column.name}" for column in _ENDED)
        self._entries, self._ours = entries, ours
        # Pseudonyms are behind all numbers in the index, so that a look at its end tells if there
        # is one. Asked whether any exists, the planner may look through the table for it.
        anybody = (
            f"(SELECT coalesce(max(e.number) >= '{MARK}', false) "  # noqa: S608 - constants
            f"FROM {entries} AS e WHERE {ours})"
        )
        hidden_number = _pseudonym(pseudonyms, "'n' || w.number")
        hidden_key = _pseudonym(pseudonyms, "'k' || w.number || ':' || w.key")
        hidden = f"{ours} AND {anybody} AND e.number = {hidden_number}"
        with_key = f"{hidden} AND {_SAME.format('e.')} = 'k' || {hidden_key}"
        # Sent by others, who were forgotten since it was looked up. What is unknown is sent again
        # only by whoever has seen that it is. Nothing is looked for where there is nobody.
        past = (
            f"({anybody} AND EXISTS (SELECT FROM {entries} AS e "
            f"WHERE {ours} AND e.number = {hidden_number} "
            f"AND {_SAME.format('e.')} = coalesce('k' || {hidden_key}, 't' || w.hash) "
            "AND (e.state = 'accepted' OR w.seen_state <> 'unknown')))"
        )

        # By the rules of `ResumeRules`, as what was looked up may be hours old.
        conflicts = (
            f"(w.heeds AND ({_conflict(entries, ours, 'w.number', 'w.key')} "
            f"OR {anybody} AND {_conflict(entries, ours, hidden_number, hidden_key)}))"
        )

        def put(columns: tuple[Array, ...], outcome: str, but: str = "") -> Statement:
            # Who finds the row taken by another in that very moment finds it in neither part.
            sql = f"""
WITH {_COMMIT}, w AS MATERIALIZED (SELECT * FROM {_wanted(columns)} {but}),
again AS (
  UPDATE {entries} AS e SET (text_hash, run, attempt, claimed_at, {_ENDED_NAMES})
    = ROW (decode(w.hash, 'hex'), w.run, w.attempt, now(), {outcome})
  FROM w WHERE {ours} AND {_SAME_AS_WANTED} AND {_FREE}
  RETURNING w.attempt, e.id
), fresh AS (
  {into} SELECT {identity}, {outcome} FROM w
  WHERE w.attempt <> ALL (ARRAY(SELECT attempt FROM again)) AND NOT {past} ORDER BY w.number
  ON CONFLICT DO NOTHING RETURNING attempt, id
)
SELECT {_IN_SESSION}, w.attempt, w.id FROM (
  SELECT attempt, id FROM again UNION ALL SELECT attempt, id FROM fresh
) AS w"""  # noqa: S608 - constants
            return Statement(sql, columns)

        self.claim = put(_CLAIM, _CLAIMED, f"WHERE NOT {conflicts}")
        """Claims; gives attempt and row number of those that it got, after where it did it."""
        self.contested = Statement(
            f"WITH w AS MATERIALIZED (SELECT * FROM {_wanted(_CLAIM)}) "  # noqa: S608 - constants
            f"SELECT w.attempt FROM w WHERE {conflicts}",
            _CLAIM,
        )
        """Gives those of claims that somebody else made a conflict of in the same moment."""
        self.put = put(_PUT, ended)
        """Writes what nobody had claimed: whatever is known of it."""
        # Changes nothing, but waits for whoever has the campaign's rows locked before the statement
        # looks at any. An INSERT alone does so when it has looked, and would then leave a claim of
        # what was sent, for somebody who was forgotten in between.
        self.claim_new = Statement(
            f"""
WITH {_COMMIT}, w AS MATERIALIZED (SELECT * FROM {_wanted(_CLAIM_NEW)}),
locked AS (
  UPDATE {entries} AS e SET state = e.state WHERE {ours} AND e.id = -1
), past AS MATERIALIZED (
  SELECT w.attempt AS asked_by, {_recalled("w.key")} FROM w JOIN {entries} AS e ON {with_key}
  WHERE NOT EXISTS (SELECT FROM {entries} AS e WHERE {ours} AND {_SAME_AS_WANTED})
), fresh AS (
  {into} SELECT {identity}, {_CLAIMED} FROM w
  WHERE w.attempt <> ALL (ARRAY(SELECT asked_by FROM past)) ORDER BY w.number
  ON CONFLICT DO NOTHING RETURNING attempt, id
)
SELECT {_IN_SESSION}, w.attempt, fresh.id, {columns_of()}
FROM w LEFT JOIN fresh ON fresh.attempt = w.attempt
LEFT JOIN {entries} AS e ON {ours} AND {_SAME_AS_WANTED}
UNION ALL
SELECT {_IN_SESSION}, w.attempt, NULL, {columns_of("past.")} FROM past
JOIN w ON w.attempt = past.asked_by""",  # noqa: S608 - constants
            _CLAIM_NEW,
        )
        """Claims what is new; gives each attempt, its row number if it got it, or what is there,
        after where it did it."""
        self.record = Statement(
            f"""
UPDATE {entries} AS e SET ({_ENDED_NAMES}) = ROW ({ended}) FROM {_wanted(_RECORD)}
WHERE {ours} AND e.id = w.id AND e.attempt = w.attempt AND e.state IN ('claimed', 'released')""",  # noqa: S608 - constants
            _RECORD,
        )
        """Writes outcomes of what these very attempts had claimed."""
        self.settle = Statement(
            f"""
UPDATE {entries} AS e SET ({_ENDED_NAMES}) = ROW ({ended}) FROM {_wanted(_SETTLE)}
WHERE {ours} AND e.id = w.id AND e.attempt = w.seen AND e.state IN ('claimed', 'unknown')""",  # noqa: S608 - constants
            _SETTLE,
        )
        """Writes what became of unknown messages, if nobody is at them since they were read.

        The attempt stays: a sender whose connection was cut, and who was taken for gone, can still
        record what became of the text.
        """
        self.release = Statement(
            f"""
UPDATE {entries} AS e SET ({_ENDED_NAMES}) = ROW ({ended}) FROM {_wanted(_RELEASE)}
WHERE {ours} AND {_SAME_AS_WANTED} AND e.attempt = w.attempt AND e.state = 'claimed'""",  # noqa: S608 - constants
            _RELEASE,
        )
        """Takes back what these very attempts had claimed."""
        self.by_key = Statement(
            f"WITH w AS MATERIALIZED (SELECT * FROM {_wanted((_NUMBER, _KEY))}) "  # noqa: S608 - constants
            f"SELECT {columns_of()} FROM w JOIN {entries} AS e "
            f"ON {ours} AND e.number = w.number AND {_SAME.format('e.')} = 'k' || w.key "
            f"UNION ALL SELECT {_recalled('w.key')} FROM w JOIN {entries} AS e ON {with_key}",
            (_NUMBER, _KEY),
        )
        """Looks messages up by number and key."""
        self.by_number = Statement(
            f"WITH w AS MATERIALIZED (SELECT * FROM {_wanted((_NUMBER, _EVERY))}), "  # noqa: S608 - constants
            "present AS MATERIALIZED (SELECT %s::integer AS run), found AS ("
            f"SELECT {columns_of()}, e.id AS place FROM w JOIN {entries} AS e "
            f"ON {ours} AND e.number = w.number AND (w.every OR e.key IS NULL) "
            f"UNION ALL SELECT {_recalled('e.key')}, NULL FROM w JOIN {entries} AS e "
            f"ON {hidden} AND (w.every OR e.key IS NULL)) "
            f"SELECT {columns_of('found.')} FROM found, present "
            "WHERE found.run <> present.run OR found.state = 'unknown' AND found.healable "
            "ORDER BY found.place NULLS LAST",
            (_NUMBER, _EVERY),
        )
        """Looks up what other runs have of numbers, and what is as unknown as an earlier one left
        it although this one has been at it."""
        self.unfinished = (
            f"SELECT {columns_of()} FROM {entries} AS e WHERE {ours} AND e.id > %s "  # noqa: S608 - constants
            "AND e.state = 'accepted' AND coalesce(e.status, '') <> ALL (%s::text[]) "
            f"ORDER BY e.id LIMIT {_PAGE}"
        )
        """Reads the next accepted rows whose status is none of some."""
        self.rows_of = (
            f"SELECT {columns_of()} FROM {entries} AS e "  # noqa: S608 - constants
            f"WHERE {ours} AND e.number = %s ORDER BY e.id"
        )
        """Reads all rows of a number."""
        self.rows = f"SELECT {columns_of()} FROM {entries} AS e WHERE {ours} AND e.id = ANY(%s)"  # noqa: S608 - constants
        """Reads rows by their numbers."""
        self.note_deliveries = Statement(
            f"""
UPDATE {entries} AS e SET detail = w.detail, status = w.status FROM {_wanted(_CHANGE)}
WHERE {ours} AND e.id = w.id AND e.state = 'accepted' AND e.detail = w.seen""",  # noqa: S608 - constants
            _CHANGE,
        )
        """Writes how far accepted texts have come, if they are as they were read."""
        self.set_bookmark = (
            f"INSERT INTO {quoted(schema)}.list_pages VALUES ({campaign}, %s, %s) "  # noqa: S608 - constants
            "ON CONFLICT (campaign, provider) DO UPDATE SET page = excluded.page"
        )
        """Notes which page of a gateway's list is to be read next."""
        self.bookmark = (
            f"SELECT coalesce(max(page), 1) FROM {quoted(schema)}.list_pages "  # noqa: S608 - constants
            f"WHERE campaign = {campaign} AND provider = %s"
        )
        """Gives that page, or the first one."""
        self.is_enqueued = (
            f"SELECT EXISTS (SELECT FROM {quoted(schema)}.outbox "  # noqa: S608 - constants
            "WHERE campaign = %s AND number = %s AND key = %s)"
        )
        """Says whether a text is in the outbox of a campaign."""
        self.counts = (
            f"SELECT state, status, count(*) FROM {entries} AS e WHERE {ours} GROUP BY 1, 2"  # noqa: S608 - constants
        )
        """How many rows there are of each state and status."""
        self.begin_run = (
            f"UPDATE {quoted(schema)}.campaigns SET runs = runs + 1 WHERE id = {campaign} "  # noqa: S608 - constants
            f"RETURNING runs, EXISTS (SELECT FROM {entries} AS e WHERE {ours})"
        )
        """Gives a run its number, and says whether there are rows already."""

    def page(self, *, of_states: bool) -> str:
        """Return the query for the next rows after one."""
        some = "AND e.state = ANY(%s::text[])" if of_states else ""
        return (
            f"SELECT {columns_of()} FROM {self._entries} AS e "  # noqa: S608 - constants
            f"WHERE {self._ours} AND e.id > %s {some} ORDER BY e.id LIMIT {_PAGE}"
        )

    @property
    def by_id(self) -> str:
        """The query for rows as they are now, and whether who claimed each is connected."""
        return (
            f"SELECT {columns_of()}, {is_connected()} "  # noqa: S608 - constants
            f"FROM {self._entries} AS e WHERE {self._ours} AND e.id = ANY(%s)"
        )


def columns_of(table: str = "e.") -> str:
    """Return the columns that make a row, as SQL."""
    return ", ".join(f"{table}{name}" for name in _ROW.split(", "))


def is_connected() -> str:
    """Return whether who claimed a row last is connected, as SQL."""
    return (
        "e.attempt >> 32 IN (SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' "  # noqa: S608 - constants
        f"AND classid = {LOCK_CLASS} "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
    )


def _conflict(entries: str, ours: str, number: str, key: str) -> str:
    """Return whether others have sent a number what a claim is a conflict with, as SQL."""
    same = f"{_SAME.format('e.')} = coalesce('k' || {key}, 't' || w.hash)"
    return (
        f"EXISTS (SELECT FROM {entries} AS e WHERE {ours} AND e.number = {number} "
        f"AND e.run <> w.run AND e.state IN ('claimed', 'accepted', 'unknown') AND NOT {same} "
        "AND CASE WHEN e.run = 0 THEN w.key IS NULL AND e.text_hash = decode(w.hash, 'hex') "
        "ELSE w.every OR w.key IS NULL OR e.key IS NULL END)"
    )


def _recalled(key: str) -> str:
    """Return the columns of a hidden row as those of the message that was asked for."""
    others = ", ".join(f"e.{name}" for name in _ROW.split(", ")[3:])
    return f"0::bigint AS id, w.number AS number, {key} AS key, {others}"


def _pseudonym(pseudonyms: Pseudonyms, name: str) -> str:
    """Return what `Pseudonyms` makes of a name, as SQL."""
    salted = f"decode('{pseudonyms.salt.hex()}', 'hex') || convert_to({name}, 'UTF8')"
    return f"('{MARK}' || left(encode(sha256({salted}), 'hex'), {DIGITS}))"


def to_row(values: Sequence[Any]) -> Row:
    """Read the columns of a row."""
    number, recipient, key, *head, status, attempt = values
    row = Row(number, recipient, key, *head)
    row.status = status
    note_attempt(row, attempt)
    return recalled(row, row.number, row.key) if is_recalled(row) else row


def check_identity(row: Row | None, wanted: Collection[tuple[str, str | None]]) -> None:
    """Raise `JournalError` if a row that was found is of another message than was asked for.

    Whoever took it for nobody's would ask for ever, or send what was sent.
    """
    if row is not None and (row.number, row.key) not in wanted:
        raise JournalError(
            f"the journal answered with another message ({row.number}, key {row.key!r}) than it "
            "was asked for: see which database its address leads to, and what stands between. "
            "Nothing was sent"
        )
