"""Who can be played: the gateways that installed providers bring along."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec

from iprog_async._errors import ConfigurationError
from iprog_async._registry import provider_types
from iprog_async.sandbox._gateway import SandboxGateway


_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


def check_extra() -> None:
    """Raise `ConfigurationError` unless the packages of the extra `sandbox` are there."""
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f'the sandbox needs {" and ".join(missing)}; run: pip install "iprog-async[sandbox]"'
        )


def installed_gateways() -> dict[str, SandboxGateway]:
    """Return the gateways of the installed providers that can be played, by provider."""
    played = {name: cls.sandbox() for name, cls in provider_types().items()}
    return {name: gateway for name, gateway in played.items() if gateway is not None}


def by_prefix(gateways: Mapping[str, SandboxGateway]) -> dict[str, SandboxGateway]:
    """Return one gateway for each prefix; providers of one vendor share theirs.

    Raises:
        ConfigurationError: A prefix can't be part of a path, or two vendors want the same.
    """
    prefixes: dict[str, SandboxGateway] = {}
    for name, gateway in gateways.items():
        prefix = gateway.prefix
        if _PREFIX.fullmatch(prefix) is None:
            raise ConfigurationError(f"{name}: {prefix!r} can't be the start of a path")
        if prefixes.setdefault(prefix, gateway).routes != gateway.routes:
            raise ConfigurationError(f"{name}: another gateway has the prefix {prefix!r} already")
    return prefixes
