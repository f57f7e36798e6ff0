"""The part of a described gateway in the local sandbox: its own file, read from the other side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from iprog_async import ConfigurationError
from iprog_async.sandbox import (
    OUT_OF_CREDIT,
    REFUSED_RECIPIENT,
    InboxText,
    OutOfCreditError,
    SandboxGateway,
    SandboxState,
    note_refusal,
    read_fields,
    read_json,
)
from iprog_async_providers.toml._file import GatewayFile
from iprog_async_providers.toml._pointers import ANY, Place, Pointer
from iprog_async_providers.toml._proofs import ErrorName
from iprog_async_providers.toml._reading import read_file


_MOST_CREDENTIALS = 2


def gateway_of(path: str) -> SandboxGateway:
    """Return the part of the gateway that a file describes.

    Raises:
        ConfigurationError: The file is wrong, or has more credentials than an address can hold.
    """
    file = read_file(path)
    names = file.auth.names
    if len(names) > _MOST_CREDENTIALS:
        raise ConfigurationError(f"{path}: the sandbox plays gateways of one or two credentials")
    credentials = ":".join(map(_credential, names))
    address = f"toml://{credentials}@?file={quote(path, safe='')}&base_url={{base_url}}"
    return SandboxGateway(file.name, partial(_routes, file), address, has_content_filter=True)


def _credential(name: str) -> str:
    return f"sandbox-{name.lower().replace('_', '-')}"


def _routes(file: GatewayFile, state: SandboxState) -> Sequence[BaseRoute]:
    desk = _Desk(file, state)
    routes = [Route(file.send.path, desk.send, methods=[file.send.method])]
    if file.status is not None:
        routes.append(Route(file.status.path, desk.show, methods=[file.status.method]))
    if file.balance is not None:
        routes.append(Route(file.balance.path, desk.credit, methods=[file.balance.method]))
    return routes


class _Desk:
    """Answers requests as the file says; the sandbox keeps the texts, and the credit."""

    def __init__(self, file: GatewayFile, state: SandboxState) -> None:
        self._file = file
        self._state = state
        self._values = {name: _credential(name) for name in file.auth.names}

    async def send(self, request: Request) -> JSONResponse:
        send, prefix = self._file.send, self._file.name
        body = await read_json(request) if send.body == "json" else await read_fields(request)
        number, text = _text_at(send.number, body), _text_at(send.text, body)
        sender = "" if send.sender is None else _text_at(send.sender, body)
        if not self._knows(request, await read_fields(request)):
            return self._refusal("authentication")
        if not number or number.endswith(REFUSED_RECIPIENT):
            return self._refusal("rejected", of_number=True)
        if not text or self._state.blocks(prefix, text):
            return self._refusal("rejected")
        try:
            taken = self._state.accept(
                prefix, number, text, message_id=self._state.new_id(), sender_id=sender
            )
        except OutOfCreditError:
            note_refusal(OUT_OF_CREDIT)
            return self._refusal("credit")
        return self._acceptance(taken)

    async def show(self, request: Request) -> JSONResponse:
        call = self._file.status
        assert call is not None  # noqa: S101 - there is a route only where there is one
        if not self._knows(request, await read_fields(request)):
            return self._refusal("authentication")
        text = self._state.find(self._file.name, request.path_params["id"])
        if text is None:
            return JSONResponse({}, 404)
        state = text.state(self._state.now())
        known: tuple[str, ...] = getattr(call, state, ())
        return JSONResponse(_put([(call.word, known[0] if known else state)]))

    async def credit(self, request: Request) -> JSONResponse:
        call = self._file.balance
        assert call is not None  # noqa: S101 - the same
        if not self._knows(request, await read_fields(request)):
            return self._refusal("authentication")
        left = str(self._state.credit_of(self._file.name))
        return JSONResponse(_put([(call.amount, left)]))

    def _knows(self, request: Request, fields: dict[str, str]) -> bool:
        """Return whether the credentials are the sandbox's own, wherever the file puts them."""
        auth = self._file.auth
        beside = {**auth.fields, **auth.query}
        return all(
            request.headers.get(name) == value for name, value in auth.header_fields(self._values)
        ) and all(fields.get(name) == each.filled(self._values) for name, each in beside.items())

    def _acceptance(self, text: InboxText) -> JSONResponse:
        proof = self._file.accepted
        values: list[tuple[Pointer, object]] = [
            (each.pointer, each.values[0]) for each in proof.where
        ]
        if proof.id is not None:
            values.append((proof.id, text.message_id))
        if proof.cost is not None:
            values.append((proof.cost, "1"))
        return JSONResponse(_put(values), proof.status[0])

    def _refusal(self, error: ErrorName, *, of_number: bool = False) -> JSONResponse:
        """Answer with the file's own row; where it has none, with what proves nothing."""
        errors = self._file.errors
        for row in self._file.refused:
            if row.error != error or (row.blame == "recipient") != of_number:
                continue
            values: list[tuple[Pointer, object]] = [
                (each.pointer, each.values[0]) for each in errors.where
            ]
            if row.words and errors.words:
                values.append((errors.words[0], row.words[0]))
            return JSONResponse(_put(values), row.status[0])
        return JSONResponse({"sandbox": f"the file has no [[refused]] for {error}"}, 400)


def _put(values: Sequence[tuple[Pointer, object]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for pointer, value in values:
        tokens = tuple("field" if token == ANY else token for token in pointer.tokens)
        Place(tokens).put(body, value)
    return body


def _text_at(pointer: Pointer, body: dict[str, Any]) -> str:
    found = pointer.find(body)
    return found if isinstance(found, str) else ""
