"""Whatever a gateway answers: a sign that something was taken, and nobody is not sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from support.answering import outcomes_of
from support.contract_cases import CASES

from iprog_async.adapter import Refusal
from iprog_async.testing import ContractCase, Reply
from iprog_async_providers.infopromo._answers import DISPATCH
from iprog_async_providers.iprog._answers import CONTENT
from iprog_async_providers.iprog._answers import REFUSALS as IPROG_ROWS
from iprog_async_providers.ugsms._answers import REFUSALS as UGSMS_ROWS
from iprog_async_providers.ugsms._answers import VALIDATION


URL = "http://gateway.test"
BY_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def states_of(case: ContractCase, reply: Reply, size: int) -> Sequence[str]:
    """Return what people come to by an answer."""
    provider: Any = case.make(URL)
    size = min(size, provider.batching.max_batch)
    outcomes = asyncio.run(outcomes_of(provider, reply, case.numbers[:size]))
    return [outcome.state for outcome in outcomes]


# How gateways spell what they give to a text that they took.
ID_NAMES = st.sampled_from(
    [
        "id",
        "ids",
        "uid",
        "uuid",
        "message_id",
        "messageId",
        "MessageID",
        "message-id",
        "messageids",
        "msgid",
        "msg_id",
        "sms_id",
        "smsId",
        "sid",
        "batch_id",
        "bulkId",
        "campaign_uid",
        "job_id",
        "queue_uid",
        "reference",
        "ref",
        "request_id",
        "transaction_id",
        "tracking_id",
        "ticket",
    ]
)
ID_VALUES = st.one_of(
    st.integers(1, 10**9),
    st.from_regex(r"[A-Za-z]{1,4}-?[0-9a-f]{1,12}", fullmatch=True),
    st.uuids().map(str),
)
COUNT_NAMES = st.sampled_from(
    ["recipients", "recipients_count", "sms_count", "accepted", "sent", "queued", "delivered"]
    + ["successful", "success_count", "accepted_count", "segments", "sms_rate", "cost"]
)
LIST_NAMES = st.sampled_from(
    ["accepted", "sent", "queued", "successful_messages", "messages", "successful", "recipients"]
)
WORDS = st.sampled_from(
    ["sent", "Queued", "ACCEPTED", "Delivered", "Enroute", "en route", "scheduled", "submitted"]
    + ["sent|SM0123", "Delivered|8f21c0", "success", "Message was sent", "2 of 4 queued"]
)
NAMES = st.sampled_from(["data", "result", "message", "info", "response", "details", "a", "to"])

SIGNS = st.one_of(
    st.builds(lambda name, value: {name: value}, ID_NAMES, ID_VALUES),
    st.builds(lambda name, values: {name: values}, ID_NAMES, st.lists(ID_VALUES, min_size=1)),
    st.builds(
        lambda name, values: {name: ",".join(map(str, values))},
        ID_NAMES,
        st.lists(ID_VALUES, min_size=1),
    ),
    st.builds(lambda name, count: {name: count}, COUNT_NAMES, st.integers(1, 100)),
    st.builds(
        lambda name, items: {name: items},
        LIST_NAMES,
        st.lists(st.dictionaries(NAMES, st.integers(1, 9), min_size=1), min_size=1, max_size=3),
    ),
    st.builds(lambda name, word: {name: word}, NAMES, WORDS),
    st.builds(lambda word: {"status": word}, WORDS),
)


def _nested(sign: dict[str, Any], path: Sequence[str], in_list: bool) -> dict[str, Any]:
    for name in reversed(path):
        sign = {name: [sign] if in_list else sign}
    return sign


TAKEN = st.builds(_nested, SIGNS, st.lists(NAMES, max_size=3), st.booleans())
STATUSES = st.sampled_from(
    [200, 201, 202, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 409]
    + [413, 422, 429, 500, 502, 503]
)


@frozen
class Row:
    """A row of an adapter's table, and how the gateway writes its words."""

    case: ContractCase
    refusal: Refusal
    in_list: bool = False

    def body(self, text: str) -> dict[str, Any]:
        """Return the gateway's error with these words."""
        if self.case.name == "iprog":
            return {"status": 500, "message": [text] if self.in_list else text}
        if self.case.name.startswith("ugsms"):
            return {"message": text, "errors": {"x": [text]}} if self.in_list else {"error": text}
        return {"status": "error", "message": text}


def _rows(case: ContractCase) -> list[Row]:
    if case.name == "iprog":
        return [Row(case, row) for row in IPROG_ROWS] + [Row(case, row, True) for row in CONTENT]
    if case.name.startswith("ugsms"):
        return [Row(case, row) for row in UGSMS_ROWS] + [Row(case, r, True) for r in VALIDATION]
    return [Row(case, row) for row in DISPATCH]


ROWS = {case.name: _rows(case) for case in CASES}
EACH_ROW = pytest.mark.parametrize(
    "row",
    [row for rows in ROWS.values() for row in rows],
    ids=lambda row: f"{row.case.name} {row.refusal.text.pattern[:40] if row.refusal.text else ''}",
)


def texts_of(row: Row) -> st.SearchStrategy[str]:
    """Return texts that a row matches as a whole."""
    text = row.refusal.text
    found = st.just("Odd words") if text is None else st.from_regex(text, fullmatch=True)
    return found.filter(lambda words: bool(words.strip()))


def statuses_of(row: Row) -> st.SearchStrategy[int]:
    """Return the statuses of a row."""
    return st.sampled_from(sorted(row.refusal.status or (200, 400, 403, 404, 422)))


@BY_CASE
@given(data=st.data())
def test_a_sign_of_acceptance_is_never_not_sent(case: ContractCase, data: st.DataObject) -> None:
    """Beside any words, in any place, with any status: what says "taken" is no refusal."""
    row = data.draw(st.sampled_from(ROWS[case.name]))
    body = {**row.body(data.draw(texts_of(row))), **data.draw(TAKEN)}
    status = data.draw(st.one_of(statuses_of(row), STATUSES))
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


@EACH_ROW
@given(data=st.data())
def test_a_row_refuses(row: Row, data: st.DataObject) -> None:
    """Each row is there for something: its words, with its status, in its envelope."""
    text, status = data.draw(texts_of(row)), data.draw(statuses_of(row))

    assert ["not_sent"] == states_of(row.case, Reply.of_json(row.body(text), status), 1)


AROUND = st.sampled_from(
    ["PG::ConnectionBad after INSERT ... VALUES ('{}')", "{}\nqueued", "1 of 2: {}; 1 sent"]
    + ["Operation timed out: {}", "sent|SM0123 {}", "{} (submitted to carrier, check pending)"]
)


@EACH_ROW
@given(data=st.data(), around=AROUND, size=st.sampled_from([1, 4]))
def test_a_row_needs_the_whole_text(row: Row, data: st.DataObject, around: str, size: int) -> None:
    """A longer text around the words of a row may quote the message, so it is none."""
    text, status = data.draw(texts_of(row)), data.draw(statuses_of(row))
    reply = Reply.of_json(row.body(around.format(text)), status)

    assert "not_sent" not in states_of(row.case, reply, size)


@EACH_ROW
@given(data=st.data(), status=st.sampled_from([500, 502, 503, 504, 520, 599, 302, 303, 304]))
def test_a_row_needs_its_status(row: Row, data: st.DataObject, status: int) -> None:
    """With a server error or a redirection that hides the answer, no row is a refusal."""
    reply = Reply.of_json(row.body(data.draw(texts_of(row))), status)

    assert {"unknown"} == {*states_of(row.case, reply, 4)}


@EACH_ROW
@given(data=st.data())
def test_a_row_for_one_number_refuses_no_list(row: Row, data: st.DataObject) -> None:
    """A request to many is refused only by a check of the whole of it."""
    text, status = data.draw(texts_of(row)), data.draw(statuses_of(row))
    states = states_of(row.case, Reply.of_json(row.body(text), status), 4)

    assert {"not_sent" if row.refusal.whole_request or len(states) == 1 else "unknown"} == {*states}
