"""Which engine and which proxies a command uses."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from iprog_async._engines.proxies import proxies_named


EngineChoice = Literal["httpx", "asyncio"]


def best_engine() -> EngineChoice:
    """Return the faster engine, where it is there and can be used: it uses no proxy."""
    return "asyncio" if find_spec("httptools") is not None and not proxies_named() else "httpx"
