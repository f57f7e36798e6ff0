"""From a TOML file to checked values; every mistake in it is told at once, by its key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import cattrs
from attrs import fields
from cattrs.errors import ForbiddenExtraKeysError

from iprog_async import ConfigurationError
from iprog_async.adapter import Secret, is_array, is_object, one_line, veiled
from iprog_async_providers.toml._credentials import Credential
from iprog_async_providers.toml._file import GatewayFile
from iprog_async_providers.toml._pointers import Place, Pointer
from iprog_async_providers.toml._proofs import Condition


def read_file(path: str | PathLike[str]) -> GatewayFile:
    """Read a gateway's file.

    Raises:
        ConfigurationError: It can't be read, or says something that makes no sense; the error
            names the file, each wrong key and what is allowed there.
    """
    place = str(path)
    try:
        text = Secret(Path(path).read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ConfigurationError(f"{place} is no UTF-8 text") from None
    except (OSError, ValueError) as exc:
        # Whoever puts a credential in its place has no such file.
        place = one_line("/".join(map(veiled, place.split("/"))))
        why = getattr(exc, "strerror", None) or str(exc)
        raise ConfigurationError(f"{place} can't be read: {why}") from None
    return parse(text, place)


def parse(text: str, place: str) -> GatewayFile:
    """Read what a file says.

    Raises:
        ConfigurationError: As of `read_file`.
    """
    # Nothing that holds the text is left in a frame where an error is raised: a credential may
    # have been written into the file.
    text = Secret(text)
    found = _structured(text)
    if isinstance(found, str):
        raise ConfigurationError(f"{place}{found}")
    return found


def _structured(text: str) -> GatewayFile | str:
    """Return what a file says, or what is wrong with it."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        return f" is no TOML: {one_line(veiled(str(exc)))}"
    try:
        return _converter.structure(data, GatewayFile)
    except Exception as exc:
        # What a file holds can make any hook fail in its own way; each is a mistake in it.
        problems = cattrs.transform_error(exc, path="$", format_exception=_words)
        return f": {'; '.join(map(_by_key, problems))}"


def _by_key(problem: str) -> str:
    """Turn `words @ $.send.path` into `send.path: words`."""
    words, _, key = problem.rpartition(" @ $")
    return f"{_PIECE.sub(_veiled, key.lstrip('.'))}: {words}" if key else words


_PIECE = re.compile(r"[^.\[\]']+")


def _veiled(piece: re.Match[str]) -> str:
    # Names of header fields and the like: a credential may stand where its name belongs.
    return veiled(piece[0])


def _words(exc: BaseException, kind: type[Any] | None) -> str:
    if isinstance(exc, ForbiddenExtraKeysError):
        unknown = veiled(", ".join(sorted(exc.extra_fields)))
        known = ", ".join(each.name for each in fields(exc.cl))
        return f"there is no {unknown} here; there is {known}"
    if isinstance(exc, KeyError):
        return "is missing"
    if isinstance(exc, (ValueError, ConfigurationError)):
        return one_line(str(exc))
    return f"is no {_name(kind)}"


def _name(kind: object) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    return _KINDS.get(kind, "table")


_KINDS: dict[object, str] = {str: "text", int: "whole number", bool: "true or false"}


def _plain(kind: Any) -> Callable[[object, Any], Any]:
    """Return what takes a value that is exactly of a kind: `true` is no number, `5` no text."""

    def take(value: object, _: Any) -> object:
        if type(value) is not kind:
            raise ValueError(f"is no {_KINDS[kind]}")
        return value

    return take


def _parsed(kind: type[Pointer] | type[Credential]) -> Callable[[object, Any], Any]:
    return lambda value, _: kind.parse(_text(value, str))


def _choice(value: object, kind: Any) -> object:
    if value not in get_args(kind):
        raise ValueError(f"is {_name(kind)}")
    return value


def _conditions(value: object, _: Any) -> tuple[Condition, ...]:
    if not is_object(value):
        raise ValueError('is a table of places and values, such as { "/status" = "ok" }')
    return tuple(Condition.parse(pointer, each) for pointer, each in value.items())


def _one_or_many(kind: Any) -> Callable[[object, Any], tuple[Any, ...]]:
    """Return what takes one value, or a list of them."""

    def take(value: object, _: Any) -> tuple[Any, ...]:
        items: list[object] = value if is_array(value) else [value]
        return tuple(_converter.structure(item, kind) for item in items)

    return take


def _is(kind: object) -> Callable[[Any], bool]:
    return lambda annotation: annotation == kind


def _is_choice(annotation: Any) -> bool:
    origin: object = get_origin(annotation)
    return origin is Literal


_text = _plain(str)
_converter = cattrs.Converter(forbid_extra_keys=True)
_converter.register_structure_hook_func(_is_choice, _choice)
_converter.register_structure_hook(str, _text)
_converter.register_structure_hook(int, _plain(int))
_converter.register_structure_hook(bool, _plain(bool))
_converter.register_structure_hook(Pointer, _parsed(Pointer))
_converter.register_structure_hook(Place, _parsed(Place))
_converter.register_structure_hook(Credential, _parsed(Credential))
_converter.register_structure_hook_func(_is(tuple[str, ...]), _one_or_many(str))
_converter.register_structure_hook_func(_is(tuple[int, ...]), _one_or_many(int))
_converter.register_structure_hook_func(_is(tuple[Pointer, ...]), _one_or_many(Pointer))
_converter.register_structure_hook_func(_is(tuple[Condition, ...]), _conditions)
