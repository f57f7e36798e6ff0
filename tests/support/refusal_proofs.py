"""Answers that were once taken for refusals, and answers of their kind: nobody is not sent.

To add one: a row of `PROOFS`. `alone` and `many` say how the gateway answers a request for one and
for several; without the other, that way is not tried.
"""

from __future__ import annotations

from typing import Any

from iprog_async.testing import Reply
from support.contract.data import PHILIPPINE
from support.listed_proofs import (
    AFRICAS_TALKING,
    LISTED_AS_FAILED,
    TOLD_AS_REASONS,
    item,
    ugsms,
)
from support.proof import ADAPTERS, Proof


def _error(message: object, status: int = 200, **more: object) -> Reply:
    return Reply.of_json({"status": 500, "message": message, **more}, status)


_IDS: dict[str, Any] = {"message_ids": "iSms-1,iSms-2,iSms-3"}
_THREE = ("iSms-1", "iSms-2", "iSms-3")
_LIMIT = "You have hit the limit of 3 requests per day"
_ADDED = "added to the queue"
_TOKEN = "Invalid api token or no load balance"
_FEW = TOLD_AS_REASONS[:3]


def _iprog(name: str, reply: Reply, **more: Any) -> Proof:
    return Proof(name=f"iprog: {name}", adapter="iprog", reply=reply, **more)


_IPROG = (
    _iprog(
        "some skipped, the others queued",
        _error(
            "Smart/TNT numbers were skipped (shared sender name); the others are queued", **_IDS
        ),
        references=_THREE,
    ),
    *(_iprog(f"a list: {words}", _error([words])) for words in TOLD_AS_REASONS),
    *(_iprog(f"in data: {words}", _error("No", data={"errors": [words]})) for words in _FEW),
    *(
        _iprog(f"429 with {name}", Reply(429, "Too Many Requests", {name: "8812"}))
        for name in ("X-MessageID", "X-SMSID", "MessageId", "X-Queue-Id", "X-Credits-Used")
    ),
    *(
        _iprog(f"429 with {state}", Reply.of_json(state, 429))
        for state in (
            {"message": "Too many requests", "state": "RETRY"},
            *({"status": "retry"}, {"status": "RETRY_LATER"}, {"delivery": "THROTTLED"}),
            *({"message_status": "Retry in 5 minutes"}, {"smsStatus": "RetryLater"}),
        )
    ),
    *(
        _iprog(f"429 around {piece}", Reply.of_html(f"{piece}<h1>429 Too Many Requests</h1>", 429))
        for piece in ('<p aria-label="2 of 5 are out">', "<p data-success=2>", "<p>\uf00c</p>")
    ),
    *(
        _iprog(f"{status} with {name}: {value}", Reply(status, "", {name: value}))
        for status in (404, 429)
        for name, value in (
            *(("X-Status", "accepted"), ("X-Delivery-Status", "queued")),
            *(("Location", "/messages/8812"), ("Refresh", "5;url=/messages/8812")),
        )
    ),
    *(
        _iprog(f"{status} to {address}", Reply(status, "", {"Location": address}))
        for status in (301, 307, 308)
        for address in ("/messages/8812", "/sms/status?id=8812", "/compose?msg=Message+sent")
    ),
    _iprog("suspicious, and held", _error("Message looks suspicious (held for review)")),
    _iprog("a list of reasons beside ids", _error(["639171234567 is invalid"], **_IDS)),
    _iprog("reasons in data beside ids", _error("No", data={"errors": ["No"]}, **_IDS)),
    _iprog("reasons beside ids in data", _error("No", data={"errors": ["No"], **_IDS})),
    _iprog("token or balance beside ids", _error(_TOKEN, **_IDS), references=_THREE),
    _iprog("token or balance beside a list", _error(_TOKEN, data=[{"id": 41}]), references=["41"]),
    _iprog("token or balance beside a rate", _error(_TOKEN, sms_rate=1.0)),
    _iprog("token or balance beside a number", _error(_TOKEN, message_id=7), references=["7"]),
    _iprog("token beside a link", _error(_TOKEN, message_status_link="https://x/?message_id=1")),
    _iprog("token, and a list in the list", _error(["Invalid Token", ["it went out before"]])),
    _iprog("token, and a number", _error(["Invalid Token", 8812])),
    _iprog("content, and a list", _error(["No"], data={"errors": ["No", ["it went out"]]})),
    _iprog("token, and it passed", _error("Invalid Token", data={"passed": True})),
    _iprog("a field that nobody knows", _error(_TOKEN, batch="b-1")),
    _iprog("limit with HTTP 500", _error(f"PG::ConnectionBad after INSERT ('{_LIMIT}')", 500)),
    _iprog("limit with HTTP 502", _error(f"PG::ConnectionBad after INSERT ('{_LIMIT}')", 502)),
    _iprog("limit quoted", _error(f"PG::ConnectionBad after INSERT ('{_LIMIT}')")),
    _iprog("limit quoted in a list", _error([f"PG::ConnectionBad after INSERT ('{_LIMIT}')"])),
    _iprog("limit on a line of its own", _error(f"Timed out\n{_LIMIT}\n{_ADDED}")),
    _iprog("the limit itself with 500", _error(_LIMIT, 500)),
    _iprog("token with 503", _error(_TOKEN, 503)),
    _iprog("token with 400", _error(_TOKEN, 400)),
    _iprog("token with 403", _error(_TOKEN, 403)),
    _iprog("token with 302", _error(_TOKEN, 302)),
    _iprog("a longer text about the token", _error(f"{_TOKEN} for 1 of 2; the other was queued")),
    _iprog(
        "queued for Smart",
        Reply.of_json({"status": "queued", "message": "Queued for Smart/TNT", "message_id": "i-1"}),
        references=["i-1"],
    ),
    _iprog("accepted for Smart", Reply.of_json({"message": "Accepted for Smart/TNT"}, 202)),
    _iprog("error, accepted for Smart", _error("Accepted for Smart/TNT (shared sender name)")),
    _iprog("one of many for its network", _error("Smart/TNT: not allowed"), ways=["many"]),
    _iprog("one of many is invalid", _error(["639171234567 is invalid"]), ways=["many"]),
    _iprog("401 around a success", Reply.of_json({"status": "sent", "message_id": "i-1"}, 401)),
    _iprog("403 around a list", Reply.of_json([{"message_id": "i-1"}], 403), references=["i-1"]),
    _iprog("404 around an id", Reply.of_json({"status": 404, "error": "Not Found", "id": 5}, 404)),
    _iprog("404 around an array", Reply.of_json(["i-1"], 404)),
    _iprog("429 around an id", Reply.of_json({"message": "Slow", "message_id": "i-1"}, 429)),
    _iprog("429 with an id in its head", Reply(429, "", {"X-Message-Id": "i-1"})),
    _iprog("a page for 401", Reply.of_html("<title>Unauthorized</title>", 401)),
    _iprog("a page for 403", Reply.of_html("<title>Forbidden</title>", 403)),
    _iprog("nothing for 403", Reply(403)),
    _iprog("a page for 404 that tells", Reply.of_html("<p>Your text was queued.</p>", 404)),
    _iprog("302", Reply(302, "", {"Location": "/sent/8d1f"})),
    _iprog("303", Reply(303, "", {"Location": "/sent/8d1f"})),
    _iprog("304", Reply(304)),
    _iprog("308 around an id", Reply(308, '{"message_id": "i-1"}', {"Location": "/v2"})),
    _iprog("204", Reply(204)),
    _iprog(
        "too deep to look into",
        Reply(200, '{"status":500,"message":' + "[" * 900 + "]" * 900 + "}"),
    ),
)


_BAD = "Invalid phone number format."
_TAKEN = {"message_id": "8d1f", "recipients": 3}
_KEY_MISSING = {"error": "API key is required", "help": "Provide X-API-Key header"}


def _both(name: str, body: object, status: int, **more: Any) -> list[Proof]:
    return [ugsms(version, name, Reply.of_json(body, status), **more) for version in (1, 2)]


_LISTS = {"success": False, "error": _BAD, "data": {"successful_messages": [item(0), item(2)]}}
_SOME = ("accepted", "unknown", "accepted", "unknown")

_UGSMS = (
    *_both("400 beside an id", {"error": _BAD, "data": _TAKEN}, 400, references=["8d1f"]),
    *_both("400 beside a count", {"error": _BAD, "data": {"recipients": 3}}, 400),
    *_both("400 with 500", {"error": _BAD}, 500),
    *_both("400 with 200", {"error": _BAD}, 200),
    *_both("400 with 404", {"error": _BAD}, 404),
    *_both("a number quoted", {"error": f"Timed out after '{_BAD}'"}, 400),
    *_both("balance beside an id", {"error": "Insufficient balance", "messageId": "8d1f"}, 402),
    *_both("balance with 500", {"error": "Insufficient balance"}, 500),
    *_both("some for the balance", {"error": "Insufficient balance for 2 of 4 recipients"}, 402),
    *_both("balance quoted", {"error": "SMSC: Insufficient balance; retry queued"}, 400),
    *_both("balance in a success", {"success": True, "error": "Insufficient balance"}, 402),
    *_both("key beside a uid", {**_KEY_MISSING, "data": {"uid": 7}}, 401, references=["7"]),
    *_both("400 and a help that tells", {"error": _BAD, "help": "The others went out."}, 400),
    *_both("balance, and help", {"error": "Insufficient balance", "help": "Top up."}, 400),
    *_both("key, and other help", {**_KEY_MISSING, "help": "It went out on credit."}, 401),
    *_both("key, and a list", {"error": ["Unauthorized.", ["Unauthorized."]]}, 401),
    *_both("balance, and a yes", {"error": "Insufficient balance", "success": "yes"}, 400),
    *_both("401 in other words", {"error": "Token expired while sending"}, 401),
    *_both("401 that quotes", {"error": "The upstream said: Unauthorized."}, 401),
    *_both("401 around a status", {"status": "sent", "message_id": "8d1f"}, 401),
    *_both("validated afterwards", {"message": "Sent", "errors": {"dlr": ["Is invalid."]}}, 422),
    *(
        proof
        for words in TOLD_AS_REASONS
        for proof in _both(f"validated: {words}", {"message": "No", "errors": {"to": [words]}}, 422)
    ),
    *_both("validated, with an id", {"message": "No", "errors": {"id": ["8d1f"]}}, 422),
    *_both("422 in words", {"message": "Message was sent, but the DLR callback is invalid"}, 422),
    *_both("a route with an id", {"message": "The route v1 could not be found.", "id": 3}, 404),
    *_both("lists of whom it took", _LISTS, 400, ways=["many"], states=_SOME),
    ugsms(2, "bulk", Reply.of_json(_LISTS, 400), ways=["many"], states=_SOME, mixed=True),
    ugsms(2, "bulk, 422", Reply.of_json(_LISTS, 422), ways=["many"], states=_SOME, mixed=True),
    ugsms(2, "bulk, 500", Reply.of_json(_LISTS, 500), ways=["many"], mixed=True),
    ugsms(
        2,
        "bulk, failed with an id",
        Reply.of_json({"data": {"failed_messages": [item(0, error="No", message_id="8d1f")]}}),
        ways=["many"],
        mixed=True,
        references=["8d1f"],
    ),
    ugsms(
        2,
        "bulk, failed after a time-out",
        Reply.of_json({"data": {"failed_messages": [item(0, error="Operation timed out")]}}),
        ways=["many"],
        mixed=True,
    ),
)


def _ultimate(name: str, message: object, status: int, **more: Any) -> Proof:
    """Return an error of Ultimate SMS; what is no argument of a proof stands in its body."""
    given = {key: more.pop(key) for key in _OF_A_PROOF & more.keys()}
    body = {"status": "error", "message": message, **more}
    reply = Reply.of_json(body, status)
    return Proof(name=f"ultimate: {name}", adapter="infopromo", reply=reply, **given)


def _ultimate_ok(name: str, message: object, data: object, **more: Any) -> Proof:
    reply = Reply.of_json({"status": "success", "message": message, "data": data})
    return Proof(name=f"ultimate: {name}", adapter="infopromo-http", reply=reply, **more)


_OF_A_PROOF = {"ways", "states", "references"}
_WIRE = [number.removeprefix("+") for number in PHILIPPINE[:4]]
_INVALID = f"{_WIRE[0]} is a invalid phone number"
_ALL_INVALID = " ".join(f"{number} is a invalid phone number" for number in _WIRE)
_SENDER = 'Sender ID "Shop" is not authorized to send this message.'
_SPAM = "Your message contains spam words."
_TIMED_OUT = "Operation timed out after 30001 milliseconds"


def _report(place: int, word: str = "Delivered") -> dict[str, object]:
    return {"uid": f"u{place}", "to": _WIRE[place], "customer_status": word, "sms_count": 1}


_DELIVERED = [_report(place) for place in (1, 2, 3)]
_ONE_NOT = ("not_sent", "accepted", "accepted", "accepted")
_ONE_OPEN = ("unknown", "accepted", "accepted", "accepted")
_MANY = {"ways": ["many"]}

_ULTIMATE = (
    # Servers before 3.8 answer 404 after dispatch, later ones 403.
    *(
        _ultimate(f"{status} {text[:30]}", text, status)
        for status in (403, 404)
        for text in (
            f"{_TIMED_OUT} with 0 bytes received",
            f"{_TIMED_OUT}: the sending server gave no answer",
            "Submitted to carrier; DND blacklist check pending",
            "Something went wrong. Please try again",
            "queued|SM0123 by carrier",
            '{"sid": "SM0123"}',
            "Votre message contient des mots interdits.",
        )
    ),
    *(_ultimate(f"{word} alone", word, 404, ways=["many"]) for word in ("Failed", "sent|SM0123")),
    _ultimate("422 that says sent", "Message was sent, but the DLR callback is invalid", 422),
    Proof(
        name="ultimate: 422, and a time-out",
        adapter="infopromo",
        reply=Reply.of_json(
            {"message": "The given data was invalid.", "errors": {"gateway": [_TIMED_OUT]}}, 422
        ),
    ),
    *(
        Proof(
            name=f"ultimate: 422, {words}",
            adapter="infopromo",
            reply=Reply.of_json({"message": "No", "errors": {"recipient": [words]}}, 422),
        )
        for words in TOLD_AS_REASONS
    ),
    *(
        _ultimate(f"stock, {more}", f"{text} {more}", status)
        for text, status in (
            ("There is not enough balance available to send this message.", 403),
            ("The DLT Entity ID is mandatory.", 404),
        )
        for more in ("Please wait, it will go out later", "Kindly note that it was handed on")
    ),
    _ultimate("token, and a list", ["Unauthenticated.", ["the rest went out"]], 200),
    _ultimate("token, and a number", ["Unauthenticated.", 8812], 200),
    _ultimate("number, and a list", [_INVALID, ["the other three went out"]], 403),
    _ultimate(
        "a field, and it went",
        "The message went out. The callback field is required.",
        200,
    ),
    _ultimate("422 in other words", "The text is invalid", 422),
    _ultimate("an exception", "Undefined array key 0", 200),
    _ultimate("a model", "No query results for model [App\\Models\\Reports] 5", 200),
    _ultimate("401 in other words", "Non authentifié.", 401),
    _ultimate("sender with 500", _SENDER, 500),
    _ultimate("sender with 200", _SENDER, 200),
    _ultimate("sender quoted", f"Upstream: {_SENDER}", 404),
    _ultimate("sender, and the text went", f"{_SENDER} Sent from the default one.", 404),
    _ultimate("sender with an id for a name", _SENDER.replace("Shop", "sent|SM01"), 404),
    _ultimate("sender beside a uid", _SENDER, 404, data={"uid": "a1"}, references=["a1"]),
    _ultimate("spam beside a count", _SPAM, 404, data={"sent": 1}),
    _ultimate("spam beside a status", _SPAM, 404, data={"status": "Delivered"}),
    _ultimate("spam beside a queue", _SPAM, 403, data={"queue_uid": "q1"}),
    _ultimate("spam beside an id of its own", _SPAM, 404, message_id="a1", references=["a1"]),
    _ultimate("spam with 503", _SPAM, 503),
    _ultimate("token with 502", "Unauthenticated.", 502),
    _ultimate("token with 302", "Unauthenticated.", 302),
    _ultimate("route with 500", "The route api/v3/sms/send could not be found.", 500),
    _ultimate("maintenance with 503", "Service Unavailable", 503),
    _ultimate("number beside a list", _INVALID, 403, data=_DELIVERED, **_MANY, states=_ONE_NOT),
    _ultimate("number, 404", _INVALID, 404, data=_DELIVERED, **_MANY, states=_ONE_NOT),
    _ultimate(
        "number, in doubt",
        f"{_INVALID}; {_TIMED_OUT}",
        403,
        data=_DELIVERED,
        **_MANY,
        states=_ONE_OPEN,
    ),
    _ultimate("nobody named", "Failed", 403, data=_DELIVERED, **_MANY, states=_ONE_OPEN),
    _ultimate("number beside a list, 500", _INVALID, 500, data=_DELIVERED, **_MANY),
    _ultimate("number beside ids", _INVALID, 403, data=["a1", "a2", "a3"], **_MANY),
    _ultimate_ok("null", "Message is scheduled successfully.", None, **_MANY),
    _ultimate_ok("null, all named", _ALL_INVALID, None),
    _ultimate_ok("an empty list, all named", _ALL_INVALID, []),
    _ultimate_ok("null after a deletion", "Something went wrong. Please try again", None),
    _ultimate_ok(
        "list, the other queued", f"{_WIRE[0]} was queued", _DELIVERED, **_MANY, states=_ONE_OPEN
    ),
    _ultimate_ok(
        "list, the other delivered",
        f"Your message was successfully delivered to {_WIRE[0]}",
        _DELIVERED,
        **_MANY,
        states=_ONE_OPEN,
    ),
    _ultimate_ok(
        "list, the other out", f"{_WIRE[0]} went out", _DELIVERED, **_MANY, states=_ONE_OPEN
    ),
    _ultimate_ok("list, and one named", _INVALID, _DELIVERED, **_MANY, states=_ONE_NOT),
)


def _egosms(name: str, message: object, status: int = 200, **more: Any) -> Proof:
    """Return a failure of EgoSMS; what is no argument of a proof stands in its body."""
    given = {key: more.pop(key) for key in _OF_A_PROOF & more.keys()}
    body = {"Status": "Failed", "Message": message, **more}
    return Proof(
        name=f"egosms: {name}", adapter="egosms", reply=Reply.of_json(body, status), **given
    )


_EGO_CODE: dict[str, Any] = {"MsgFollowUpUniqueCode": "ABC123"}
_EGO_PASSWORD = "Wrong Username or Password"
_EGO_MONEY = "Money Not Enough To Send This Batch of Msgs"

_EGOSMS = (
    _egosms("password beside a code", _EGO_PASSWORD, **_EGO_CODE, references=["ABC123"]),
    _egosms("money beside a code", _EGO_MONEY, **_EGO_CODE, references=["ABC123"]),
    _egosms("money beside a code, 500", _EGO_MONEY, 500, **_EGO_CODE, references=["ABC123"]),
    _egosms("money beside a price", _EGO_MONEY, Cost=35),
    _egosms("money beside a count", _EGO_MONEY, Sent=3),
    _egosms("money for some", f"{_EGO_MONEY}: 2 of 4 sent"),
    _egosms("money quoted", f"Upstream said: {_EGO_MONEY}"),
    _egosms("money with 400", _EGO_MONEY, 400),
    _egosms("money with 500", _EGO_MONEY, 500),
    _egosms("money in a success", _EGO_MONEY, Status="OK"),
    _egosms("money in another status", _EGO_MONEY, Status="Pending"),
    _egosms("balance of a list", "Insufficient balance", ways=["many"]),
    _egosms("password with 401", _EGO_PASSWORD, 401),
    _egosms("password with 302", _EGO_PASSWORD, 302),
    _egosms("in other words", "Message could not be sent"),
    _egosms("without words", None),
)

_PLAIN = {"Content-Type": "text/plain", "Retry-After": "0"}
_AROUND = (
    Reply(429, "Mensaje enviado. Too Many Requests", _PLAIN),
    Reply(404, "Message given to the carrier; its report was not found", _PLAIN),
    Reply.of_html("<html><h1>Too Many Requests</h1><p>Mensaje enviado; espere.</p></html>", 429),
    Reply.of_html("<html><h1>Mensaje enviado</h1><p>404: no hay p\u00e1gina</p></html>", 404),
)
# What is around a status is read in one place: each adapter gets one of them.
_IN_OTHER_WORDS = tuple(
    Proof(
        name=f"{adapter}: {reply.status} around words of another language",
        adapter=adapter,
        reply=reply,
        ways=["alone"],
    )
    for adapter, reply in zip(ADAPTERS, (*_AROUND, *_AROUND), strict=False)
)

PROOFS: tuple[Proof, ...] = (
    *AFRICAS_TALKING,
    *_EGOSMS,
    *_IPROG,
    *_UGSMS,
    *LISTED_AS_FAILED,
    *_ULTIMATE,
    *_IN_OTHER_WORDS,
)
