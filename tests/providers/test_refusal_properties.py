"""Whatever a gateway answers: a sign that something was taken, and nobody is not sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from support.answering import outcomes_of
from support.contract.cases import CASES, PRESETS
from support.refusal_texts import (
    ACME,
    AFRICAS_TALKING,
    EGOSMS,
    IPROG,
    REASONS,
    SEMAPHORE,
    SMSGATE,
    UGSMS,
    ULTIMATE_SMS,
)

from iprog_async.adapter import Refusal
from iprog_async.testing import ContractCase, Reply
from iprog_async_providers.africastalking import _answers as africastalking
from iprog_async_providers.egosms import _answers as egosms
from iprog_async_providers.infopromo import _refusals as infopromo
from iprog_async_providers.iprog import _answers as iprog
from iprog_async_providers.semaphore import _answers as semaphore
from iprog_async_providers.smsgate import _answers as smsgate
from iprog_async_providers.ugsms import _answers as ugsms


URL = "http://gateway.test"
PROVIDERS: dict[str, Any] = {case.name: case.make(URL) for case in CASES}
BY_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def states_of(case: ContractCase, reply: Reply, size: int) -> Sequence[str]:
    """Return what people come to by an answer."""
    provider = PROVIDERS[case.name]
    size = min(size, provider.batching.max_batch)
    # It waits for nothing, so no event loop is needed.
    with pytest.raises(StopIteration) as done:
        outcomes_of(provider, reply, case.numbers[:size]).send(None)
    return [outcome.state for outcome in done.value.value]


# How gateways spell what they give to a text that they took.
ID_NAMES = st.sampled_from(
    (
        *("id", "ids", "uid", "uuid", "message_id", "messageId", "MessageID", "message-id"),
        *("messageids", "msgid", "msg_id", "sms_id", "smsId", "sid", "batch_id", "bulkId"),
        *("campaign_uid", "job_id", "queue_uid", "reference", "ref", "request_id", "ticket"),
        *("transaction_id", "tracking_id", "tracking_number", "smsref"),
    )
)
ID_VALUES = st.one_of(
    st.integers(1, 10**9),
    st.sampled_from(["iSms-2GfhbG", "SM0123", "8d1f", "69fae844ac49b"]),
    st.uuids().map(str),
)
COUNT_NAMES = st.sampled_from(
    (
        *("recipients", "recipients_count", "sms_count", "accepted", "sent", "queued"),
        *("delivered", "successful", "success_count", "accepted_count", "segments"),
        *("sms_rate", "cost"),
    )
)
LIST_NAMES = st.sampled_from(
    ("accepted", "sent", "queued", "successful_messages", "messages", "successful", "recipients")
)
WORDS = st.sampled_from(
    (
        *("sent", "Queued", "ACCEPTED", "Delivered", "Enroute", "en route", "scheduled"),
        *("submitted", "sent|SM0123", "Delivered|8f21c0", "success", "Message was sent"),
        "2 of 4 queued",
    )
)
NAMES = st.sampled_from(("data", "result", "message", "info", "response", "details", "a", "to"))


def _under(name: str, value: object) -> dict[str, Any]:
    return {name: value}


def _joined(values: Sequence[object]) -> str:
    return ",".join(map(str, values))


IDS = st.lists(ID_VALUES, min_size=1)
ITEMS = st.lists(st.dictionaries(NAMES, st.integers(1, 9), min_size=1), min_size=1, max_size=3)
SIGNS = st.one_of(
    st.builds(_under, ID_NAMES, ID_VALUES),
    st.builds(_under, ID_NAMES, IDS),
    st.builds(_under, ID_NAMES, IDS.map(_joined)),
    st.builds(_under, COUNT_NAMES, st.integers(1, 100)),
    st.builds(_under, LIST_NAMES, ITEMS),
    st.builds(_under, NAMES, WORDS),
    st.builds(_under, st.just("status"), WORDS),
)


def _nested(sign: dict[str, Any], path: Sequence[str], in_list: bool) -> dict[str, Any]:
    for name in reversed(path):
        sign = {name: [sign] if in_list else sign}
    return sign


TAKEN = st.builds(_nested, SIGNS, st.lists(NAMES, max_size=3), st.booleans())
STATUSES = st.sampled_from(
    (
        *(200, 201, 202, 300, 301, 302, 303, 304, 307, 308),
        *(400, 401, 402, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503),
    )
)


def _in_status(text: str) -> dict[str, Any]:
    return {"status": "error", "message": text}


def _in_a_list(text: str) -> dict[str, Any]:
    return {"message": text, "errors": {"x": [text]}}


@frozen
class Table:
    """The rows of a vendor, and how it writes their words.

    Args:
        rows: Its refusals.
        body: Its error with these words.
        texts: What it says, at least one text for each row.
    """

    rows: Sequence[Refusal]
    body: Callable[[str], dict[str, Any]]
    texts: Sequence[str]


_ULTIMATE_SMS = (
    Table(infopromo.DISPATCH, _in_status, ULTIMATE_SMS),
    Table(infopromo.VALIDATION, _in_a_list, REASONS),
)
_UGSMS = (
    Table(ugsms.REFUSALS, lambda text: {"error": text}, UGSMS),
    Table(ugsms.VALIDATION, _in_a_list, REASONS),
)
TABLES: Mapping[str, Sequence[Table]] = {
    # A wrong key is answered in plain words, which this table has no form for.
    "africastalking": (
        Table(
            africastalking.REFUSALS[1:],
            lambda text: {"SMSMessageData": {"Message": text, "Recipients": []}},
            AFRICAS_TALKING,
        ),
    ),
    "egosms": (Table(egosms.REFUSALS, lambda text: {"Status": "Failed", "Message": text}, EGOSMS),),
    "infopromo": _ULTIMATE_SMS,
    "infopromo-http": _ULTIMATE_SMS,
    "iprog": (
        Table(iprog.REFUSALS, lambda text: {"status": 500, "message": text}, IPROG),
        Table(iprog.CONTENT, lambda text: {"status": 500, "message": [text]}, REASONS),
    ),
    "semaphore": (Table(semaphore.REFUSALS, lambda text: {"number": [text]}, SEMAPHORE),),
    "smsgate": (Table(smsgate.REFUSALS, lambda text: {"message": text}, SMSGATE),),
    "toml": (
        Table(
            PROVIDERS["toml"].file.refusals(), lambda text: {"state": "error", "error": text}, ACME
        ),
    ),
    "ugsms-v1": _UGSMS,
    "ugsms-v2": _UGSMS,
    "ultimatesms": _ULTIMATE_SMS,
    "ultimatesms-http": _ULTIMATE_SMS,
}


@frozen
class Row:
    """A row of an adapter's table, and how the gateway writes its words."""

    case: ContractCase
    table: Table
    refusal: Refusal

    def body(self, text: str) -> dict[str, Any]:
        """Return the gateway's error with these words."""
        return self.table.body(text)

    @property
    def in_list(self) -> bool:
        """Whether the words are in a list of reasons."""
        return self.table.texts is REASONS

    @property
    def texts(self) -> list[str]:
        """Texts that the row knows."""
        pattern = self.refusal.text
        return [text for text in self.table.texts if pattern is None or pattern.fullmatch(text)]


def _rows(case: ContractCase) -> list[Row]:
    return [Row(case, table, row) for table in TABLES[case.name] for row in table.rows]


ROWS = {case.name: _rows(case) for case in CASES}
EACH_ROW = pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, marks=pytest.mark.slow if row.case in PRESETS else ())
        for rows in ROWS.values()
        for row in rows
    ],
    ids=lambda row: f"{row.case.name} {row.refusal.text.pattern[:40]}",
)


def statuses_of(row: Row) -> list[int]:
    """Return the statuses of a row; every one has some."""
    return sorted(row.refusal.status)


@BY_CASE
@given(data=st.data())
def test_a_sign_of_acceptance_is_never_not_sent(case: ContractCase, data: st.DataObject) -> None:
    """Beside any words, in any place, with any status: what says "taken" is no refusal."""
    row = data.draw(st.sampled_from(ROWS[case.name]))
    body = {**row.body(data.draw(st.sampled_from(row.texts))), **data.draw(TAKEN)}
    status = data.draw(st.one_of(st.sampled_from(statuses_of(row)), STATUSES))
    size = data.draw(st.sampled_from([1, 1, 4]))

    assert "not_sent" not in states_of(case, Reply.of_json(body, status), size)


@BY_CASE
@given(taken=TAKEN, status=STATUSES, size=st.sampled_from([1, 4]))
def test_a_sign_in_an_array_is_never_not_sent(
    case: ContractCase, taken: dict[str, Any], status: int, size: int
) -> None:
    """An answer that is an array, or nothing but the sign, is no refusal either."""
    for body in ([taken], taken):
        assert "not_sent" not in states_of(case, Reply.of_json(body, status), size)


PARTLY_LIMITED: Sequence[dict[str, Any]] = (
    {"message": "Only 2 requests were allowed, 3 were over the limit"},
    {"message": "Limit reached after 2 requests"},
    {"message": "Too many requests. Limit reached at number 3"},
    {"message": "The request has reached the user. Limit reached"},
    {"message": "Too many requests", "allowed": 2},
    {"message": "Too many requests", "limit": 2},
    {"message": "Too many requests", "failed": 0},
    {"message": "Too many requests", "errors": {"2": ["Too many requests"]}},
)


@BY_CASE
@pytest.mark.parametrize("body", PARTLY_LIMITED, ids=str)
def test_a_limit_that_was_met_on_the_way_refuses_no_list(
    case: ContractCase, body: dict[str, Any]
) -> None:
    """Words and numbers about a limit can tell of those who were sent before it."""
    states = states_of(case, Reply.of_json(body, 429), 4)

    assert "not_sent" not in states or len(states) == 1


def replies_of(row: Row, around: str = "{}") -> list[Reply]:
    """Return each text of a row with each status of it, in other words if wanted."""
    bodies = [row.body(around.format(text)) for text in row.texts]
    found = [Reply.of_json(body, status) for body in bodies for status in statuses_of(row)]
    if row.case.name.startswith("ugsms") and not row.in_list:
        # With a 2xx its errors say so.
        failed = [Reply.of_json({"success": False, **body}) for body in bodies]
        found = [reply for reply in found if reply.status != 200]
        found += failed if 200 in statuses_of(row) else []
    return found


@EACH_ROW
def test_a_row_refuses(row: Row) -> None:
    """Each row is there for something: its words, with its status, in its form."""
    replies = replies_of(row)

    assert replies
    for reply in replies:
        assert ["not_sent"] == states_of(row.case, reply, 1)


@EACH_ROW
def test_a_row_carries_its_evidence(row: Row) -> None:
    """Nobody has to believe a row."""
    assert row.refusal.evidence


AROUND = (
    *("PG::ConnectionBad after INSERT ... VALUES ('{}')", "{}\nqueued", "1 of 2: {}; 1 sent"),
    *("Operation timed out: {}", "sent|SM0123 {}", "{} (submitted to carrier, check pending)"),
    *('{{"upstream": "{}"}}', "{} {} after dispatch"),
)


@EACH_ROW
def test_a_row_needs_the_whole_text(row: Row) -> None:
    """A longer text around the words of a row may quote the message, so it is none."""
    for around in AROUND:
        for reply in replies_of(row, around.replace("{} {}", "{0} {0}")):
            for size in (1, 4):
                assert "not_sent" not in states_of(row.case, reply, size), around


@EACH_ROW
def test_a_row_needs_its_status(row: Row) -> None:
    """With a server error or a redirection that hides the answer, no row is a refusal."""
    for text in row.texts:
        for status in (500, 502, 503, 504, 520, 599, 302, 303, 304):
            reply = Reply.of_json(row.body(text), status)
            assert {"unknown"} == {*states_of(row.case, reply, 4)}


@EACH_ROW
def test_a_row_for_one_number_refuses_no_list(row: Row) -> None:
    """A request to many is refused only by a check of the whole of it."""
    for reply in replies_of(row):
        states = states_of(row.case, reply, 4)
        whole = row.refusal.whole_request or len(states) == 1
        assert {"not_sent" if whole else "unknown"} == {*states}
