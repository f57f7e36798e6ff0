"""The inbox page: its files, the data behind it, and the events that keep it up to date."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from iprog_async._core.errors import ConfigurationError
from iprog_async.sandbox._inbox.listing import (
    STAGES,
    Query,
    millis,
    next_move,
    place_of,
    reply_row,
    row,
    thread,
)
from iprog_async.sandbox._inbox.masking import secrets_in, shown
from iprog_async.sandbox._inbox.numbers import numbers_in
from iprog_async.sandbox._inbox.switches import SWITCHES, Switches
from iprog_async.sandbox._simulation.failed_requests import FailedRequest
from iprog_async.sandbox._simulation.faults import FaultRegistry
from iprog_async.sandbox._simulation.gateway import SandboxGateway
from iprog_async.sandbox._simulation.inbox import InboxText
from iprog_async.sandbox._simulation.json_api import Json, check_names, plain, read_object
from iprog_async.sandbox._simulation.pushing import Pushing
from iprog_async.sandbox._simulation.replies import ReceivedText
from iprog_async.sandbox._simulation.state import SandboxState


STOPPING = "iprog_async.stopping"
"""Key in the connection's state under which the server keeps the event of its end."""
PERIOD = 0.1
"""Seconds between two looks at what changed; any number of changes is one event."""
BEAT = 15.0
"""Seconds of silence after which a page is told that the server is still there."""

_FILES = Path(__file__).with_name("page")
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_EVENTS = "text/event-stream"
_MOST_ROWS = 200
_THREAD = 8
_LONGEST_REPLY = 1600
_FILTERS = ("gateway", "stage", "q", "offset", "limit", "place", "upto")


class InboxRoutes:
    """What the inbox page asks for.

    Args:
        state: What the gateways share.
        faults: What goes wrong on demand.
        gateways: The gateways; adapters of one vendor share a prefix.
        pushing: What takes the texts of phones.
    """

    def __init__(
        self,
        state: SandboxState,
        faults: FaultRegistry,
        gateways: Sequence[SandboxGateway],
        pushing: Pushing,
    ) -> None:
        self.remote = False
        """Whether other machines can reach the sandbox."""
        self._state = state
        self._pushing = pushing
        self._switches = Switches(state, faults, gateways)
        self._secrets: dict[str, list[str]] = {}
        for gateway in gateways:
            self._secrets.setdefault(gateway.prefix, []).extend(secrets_in(gateway.address))
        self._addresses = {each.prefix: each.address for each in reversed(gateways)}
        self._gateways = tuple(self._secrets)

    def routes(self) -> list[Route]:
        """Return the routes, without the control API's prefix."""
        return [
            Route("/page/{name}", _file, methods=["GET"]),
            Route("/events", self._events, methods=["GET"]),
            Route("/texts", self._list, methods=["GET"]),
            Route("/texts/{serial}", self._show, methods=["GET"]),
            Route("/texts/{serial}/replies", self._reply, methods=["POST"]),
            Route("/refused/{serial}", self._show_refusal, methods=["GET"]),
            Route("/switches", self._get_switches, methods=["GET"]),
            Route("/switches", self._turn, methods=["PUT"]),
            Route("/switches", self._turn_all_off, methods=["DELETE"]),
        ]

    async def _events(self, request: Request) -> Response:
        if request.method == "HEAD":
            # Its body is left out, but would have to end.
            return Response(media_type=_EVENTS)
        stopping: asyncio.Event = request.scope["state"][STOPPING]
        seen = request.headers.get("last-event-id", "")
        return StreamingResponse(self._stream(stopping, seen), media_type=_EVENTS)

    async def _stream(self, stopping: asyncio.Event, seen: str) -> AsyncIterator[str]:
        """Yield how things are whenever that is not what the page saw last.

        An event tells the state and not the change, so a page that reads slowly or comes back
        later has missed nothing, and nothing is kept for it meanwhile.
        """
        yield "retry: 1000\n\n"
        silent = 0.0
        while not stopping.is_set():
            tag = self._state.revision.tag
            if tag != seen:
                seen, silent = tag, 0.0
                yield f"id: {tag}\ndata: {json.dumps(self._overview())}\n\n"
            elif silent >= BEAT:
                silent = 0.0
                yield "event: beat\ndata:\n\n"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), PERIOD)
            silent += PERIOD

    def _overview(self) -> dict[str, Any]:
        return {
            "now": millis(self._state.now()),
            "total": self._state.count(),
            "remote": self.remote,
            "push": self._pushing.shown,
            "gateways": [
                {
                    "name": name,
                    "address": self._addresses[name],
                    "credit": plain(self._state.credit_of(name)),
                    "switches": self._switches.names(name),
                    "on": self._switches.on(name),
                }
                for name in self._gateways
            ],
            "switches": {
                name: {"words": switch.words, "hint": switch.hint}
                for name, switch in SWITCHES.items()
            },
            "others": [fault.to_dict() for fault in self._switches.others()],
            "refused": [
                {
                    **each.outline(),
                    "gateway": each.prefix,
                    "at": millis(each.at),
                    **self._recipients(each),
                }
                for each in self._refusals()
            ],
        }

    def _refusals(self) -> list[FailedRequest]:
        """Return the refused requests; a browser that looks for an icon or so is not one."""
        return [
            each
            for each in self._state.refusals()
            if each.prefix in self._gateways or each.exchange.method not in ("GET", "HEAD")
        ]

    def _recipients(self, refusal: FailedRequest) -> dict[str, Any]:
        secrets = self._secrets_of(refusal.prefix)
        numbers = [each for each in numbers_in(refusal.exchange) if each not in secrets]
        return {"to": numbers[0] if numbers else None, "recipients": len(numbers)}

    async def _show_refusal(self, request: Request) -> Json:
        serial = _serial_in(request)
        for each in self._refusals():
            if each.serial == serial:
                return Json(shown(each.exchange, self._secrets_of(each.prefix)))
        raise HTTPException(404)

    async def _list(self, request: Request) -> Json:
        given = request.query_params
        query = self._query(given)
        now = self._state.now()
        texts = self._state.newest()
        matching = query.find(self._state.newest(query.gateway), now)
        newer = place_of(matching, _number("upto", given["upto"])) if "upto" in given else 0
        found = matching[newer:]
        offset, limit = _whole(given, "offset", 0), _whole(given, "limit", 50)
        places = [_number("place", place) for place in given.get("place", "").split(",") if place]
        return Json(
            {
                "now": millis(now),
                "total": len(matching),
                "newer": newer,
                "newest": texts[0].serial if texts else 0,
                "offset": offset,
                "texts": [row(text) for text in found[offset : offset + min(limit, _MOST_ROWS)]],
                "places": {str(place): place_of(found, place) for place in places},
                "next_move": next_move(texts, now) if query.stage else None,
            }
        )

    def _query(self, given: Mapping[str, str]) -> Query:
        check_names("filter", given, _FILTERS)
        gateway, stage = given.get("gateway") or None, given.get("stage") or None
        if gateway is not None:
            check_names("gateway", [gateway], self._gateways)
        if stage is not None:
            check_names("stage", [stage], STAGES)
        return Query(gateway, stage, given.get("q", ""))

    async def _show(self, request: Request) -> Json:
        texts = self._state.newest()
        text = _find(texts, request)
        return Json({"now": millis(self._state.now()), **self._all_about(texts, text)})

    async def _reply(self, request: Request) -> Json:
        text = _find(self._state.newest(), request)
        body = await read_object(request)
        check_names("field", body, ("text",))
        words = body.get("text")
        if not isinstance(words, str) or len(words) > _LONGEST_REPLY:
            raise ConfigurationError(f"text is text of at most {_LONGEST_REPLY} characters")
        # An app may take its time, and ask this very sandbox meanwhile.
        received = await asyncio.to_thread(
            self._pushing.reply, text.gateway, text.to, text.sender_id, words
        )
        return Json({"pushed_to": self._pushing.shown, "status": received.status}, 201)

    def _all_about(self, texts: Sequence[InboxText], text: InboxText) -> dict[str, Any]:
        exchange = text.exchange
        return {
            **row(text),
            "text": text.text,
            "message_id": text.message_id,
            "replies": [reply_row(each) for each in self._replies_to(text)],
            "can_reply": self._pushing.can_reply(text.gateway),
            "thread": [
                {"serial": each.serial, "text": each.text}
                for each in thread(texts, text, _THREAD)[:-1]
            ],
            "exchange": None
            if exchange is None
            else shown(exchange, self._secrets_of(text.gateway)),
        }

    def _replies_to(self, text: InboxText) -> list[ReceivedText]:
        """Return what the phone sent after a text came, the last ones of many."""
        return [
            each
            for each in self._state.received(text.gateway)
            if (each.sender, each.to) == (text.to, text.sender_id)
            and each.received_at >= text.accepted_at
        ][-_THREAD:]

    def _secrets_of(self, gateway: str) -> Sequence[str]:
        """Return the credentials of a gateway; those of each where there is no such gateway."""
        return self._secrets.get(gateway) or [*chain.from_iterable(self._secrets.values())]

    async def _get_switches(self, _: Request) -> Json:
        return Json(self._overview())

    async def _turn(self, request: Request) -> Json:
        body = await read_object(request)
        check_names("field", body, ("gateway", "switch", "on"))
        gateway, name, on = body.get("gateway"), body.get("switch"), body.get("on")
        if not isinstance(name, str) or not isinstance(on, bool):
            raise ConfigurationError("switch is text, and on is true or false")
        if gateway is not None:
            check_names("gateway", [str(gateway)], self._gateways)
        self._switches.turn(gateway, name, on)
        return Json(self._overview())

    async def _turn_all_off(self, _: Request) -> Json:
        self._switches.turn_all_off()
        return Json(self._overview())


def _whole(given: Mapping[str, str], name: str, default: int) -> int:
    return _number(name, given.get(name, str(default)))


def _number(name: str, text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) < 10):
        raise ConfigurationError(f"{name} is a whole number")
    return int(text)


def _find(texts: Sequence[InboxText], request: Request) -> InboxText:
    serial = _serial_in(request)
    place = place_of(texts, serial)
    text = texts[place] if place < len(texts) else None
    if text is None or text.serial != serial:
        raise HTTPException(404)
    return text


def _serial_in(request: Request) -> int:
    try:
        return _number("serial", request.path_params["serial"])
    except ConfigurationError:
        raise HTTPException(404) from None


async def _file(request: Request) -> Response:
    return _read(request.path_params["name"])


async def start(_: Request) -> Response:
    """Return the page itself."""
    return _read("inbox.html")


def _read(name: str) -> Response:
    # Only what lies right there, and is of a kind that is served. A name is never looked up: the
    # system refuses one that is too long.
    path = next((each for each in _FILES.iterdir() if each.name == name), None)
    if path is None or path.suffix not in _TYPES or not path.is_file():
        raise HTTPException(404)
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix])
