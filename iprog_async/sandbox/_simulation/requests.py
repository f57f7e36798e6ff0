"""Reading requests as the gateways do: leniently, from wherever a field may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from iprog_async._core.json_types import is_array, is_deep, is_object


if TYPE_CHECKING:
    from starlette.requests import Request


async def read_fields(request: Request) -> dict[str, str]:
    """Return the fields of query, form and JSON body as text; the body wins over the query.

    A body that can't be read has no fields; nothing is raised for it. An array becomes its
    items joined by commas, `null` is left out, `true` is `"true"`, a nested object stays JSON.
    """
    fields = _pairs(request.scope["query_string"].decode("latin-1"))
    body = await request.body()
    if _is_form(request.headers):
        fields |= _pairs(body.decode("utf-8", "replace"))
    else:
        fields |= {
            key: _as_text(value) for key, value in _object(body).items() if value is not None
        }
    return {_clean(key): _clean(value) for key, value in fields.items()}


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body, or an empty one if there is none; never raises."""
    return _object(await request.body())


def bearer_token(request: Request) -> str | None:
    """Return the token of `Authorization: Bearer …`, or `None` where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _is_form(headers: Mapping[str, str]) -> bool:
    # Starlette's own form parser needs one more dependency, for uploads that nobody makes.
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return content_type == "application/x-www-form-urlencoded"


def _pairs(encoded: str) -> dict[str, str]:
    return dict(parse_qsl(encoded, keep_blank_values=True, errors="replace"))


def _object(body: bytes) -> dict[str, Any]:
    try:
        data: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if is_object(data) and not is_deep(data) else {}


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if is_array(value) and not any(is_array(item) or is_object(item) for item in value):
        return ",".join(_as_text(item) for item in value)
    return json.dumps(value, ensure_ascii=False)


def _clean(text: str) -> str:
    # JSON can hold half a surrogate pair, which no answer could be encoded with.
    return text.encode("utf-8", "replace").decode("utf-8")
