"""The API that programs in other languages steer the sandbox with, under `/_sandbox`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from iprog_async._core.errors import ConfigurationError
from iprog_async.sandbox._simulation.faults import Fault, FaultRegistry
from iprog_async.sandbox._simulation.json_api import Json, check_names, plain, read_object
from iprog_async.sandbox._simulation.state import SandboxState


CONTROL = "/_sandbox"

_MAX_CREDIT = 10**12
_LONGEST_AMOUNT = 30


class Control:
    """Inbox, faults and credit as JSON; a mistake is answered with `{"error": "…"}`.

    Args:
        state: What the gateways share.
        faults: What goes wrong on demand.
        gateways: Prefixes of the gateways.
        reset: Makes the sandbox as it was at the start.
    """

    def __init__(
        self,
        state: SandboxState,
        faults: FaultRegistry,
        gateways: Sequence[str],
        reset: Callable[[], None],
    ) -> None:
        self._state = state
        self._faults = faults
        self._gateways = tuple(gateways)
        self._reset = reset

    def routes(self) -> list[Route]:
        """Return the routes, without the prefix."""
        return [
            Route("/health", self._health, methods=["GET"]),
            Route("/inbox", self._list_inbox, methods=["GET"]),
            Route("/inbox", self._clear_inbox, methods=["DELETE"]),
            Route("/faults", self._list_faults, methods=["GET"]),
            Route("/faults", self._add_fault, methods=["POST"]),
            Route("/faults", self._clear_faults, methods=["DELETE"]),
            Route("/credit", self._get_credit, methods=["GET"]),
            Route("/credit", self._set_credit, methods=["PUT"]),
            Route("/reset", self._start_over, methods=["POST"]),
        ]

    async def _health(self, request: Request) -> Json:
        return Json({"status": "ok", "gateways": self._gateways})

    async def _list_inbox(self, request: Request) -> Json:
        now = self._state.now()
        texts = self._state.texts(**self._filters(request))
        return Json({"texts": [text.to_dict(now) for text in texts]})

    async def _clear_inbox(self, request: Request) -> Json:
        return Json({"removed": self._state.clear(**self._filters(request))})

    async def _list_faults(self, request: Request) -> Json:
        return Json({"faults": [fault.to_dict() for fault in self._faults.list()]})

    async def _add_fault(self, request: Request) -> Json:
        fault = to_fault(await read_object(request))
        self._faults.add(fault)
        return Json(fault.to_dict(), 201)

    async def _clear_faults(self, request: Request) -> Json:
        return Json({"removed": self._faults.clear()})

    async def _get_credit(self, request: Request) -> Json:
        return Json({name: plain(self._state.credit_of(name)) for name in self._gateways})

    async def _set_credit(self, request: Request) -> Json:
        body = await read_object(request)
        check_names("gateway", body, self._gateways)
        amounts = {name: _amount(name, value) for name, value in body.items()}
        for name, amount in amounts.items():
            self._state.set_credit(name, amount)
        return await self._get_credit(request)

    async def _start_over(self, request: Request) -> Json:
        self._reset()
        return Json({"status": "ok"})

    def _filters(self, request: Request) -> dict[str, str]:
        given = dict(request.query_params)
        check_names("filter", given, ("gateway", "to"))
        if "gateway" in given:
            check_names("gateway", [given["gateway"]], self._gateways)
        return given


def control_app(routes: Sequence[BaseRoute]) -> Starlette:
    """Return routes as an application that tells mistakes in JSON."""
    app = Starlette(
        routes=routes,
        exception_handlers={ConfigurationError: _mistake, HTTPException: _no_route},
    )
    app.router.redirect_slashes = False
    return app


# Names, types and words for the types of a fault's fields in JSON; bool is no number here.
_FIELDS: dict[str, tuple[tuple[type, ...], str]] = {
    "route": ((str,), "text"),
    "kind": ((str,), "text"),
    "times": ((int, type(None)), "a whole number or null"),
    "status": ((int,), "a whole number"),
    "delay": ((int, float), "a number of seconds"),
    "body": ((str, dict, list, type(None)), "text or JSON"),
    "headers": ((dict,), "an object of texts"),
}


def to_fault(data: dict[str, Any]) -> Fault:
    """Build a fault from JSON.

    Raises:
        ConfigurationError: A field is missing, not known, or makes no sense.
    """
    check_names("field", data, tuple(_FIELDS))
    for name, value in data.items():
        types, words = _FIELDS[name]
        if not isinstance(value, types) or isinstance(value, bool):
            raise ConfigurationError(f"{name} is {words}")
    for name in ("route", "kind"):
        if name not in data:
            raise ConfigurationError(f"the fault has no {name}")
    if not all(isinstance(value, str) for value in data.get("headers", {}).values()):
        raise ConfigurationError(f"headers is {_FIELDS['headers'][1]}")
    if isinstance(data.get("body"), (dict, list)):
        data = {**data, "body": json.dumps(data["body"])}
    return Fault(**data)


def _amount(name: str, value: object) -> Decimal:
    words = str(value)
    try:
        # Its digits are counted first: sums with a million of them take their time.
        amount = Decimal(words if len(words) <= _LONGEST_AMOUNT else -1)
    except InvalidOperation:
        amount = Decimal(-1)
    if isinstance(value, bool) or not amount.is_finite() or not 0 <= amount <= _MAX_CREDIT:
        raise ConfigurationError(
            f"the credit of {name} is a number without separators, 0 to {_MAX_CREDIT:,}"
        )
    return amount


def _mistake(_: Request, error: Exception) -> Json:
    return Json({"error": str(error)}, 400)


def _no_route(request: Request, error: Exception) -> Json:
    status: int = getattr(error, "status_code", 500)
    return Json({"error": f"there is no {request.method} {request.scope['path']}"}, status)
