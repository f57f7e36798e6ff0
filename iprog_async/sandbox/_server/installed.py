"""Who can be played: the gateways that installed providers bring along."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from importlib.util import find_spec

from iprog_async._core.errors import ConfigurationError
from iprog_async._providers.registry import provider_types
from iprog_async.sandbox._simulation.gateway import SandboxGateway


logger = logging.getLogger("iprog_async")

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


def check_extra() -> None:
    """Raise `ConfigurationError` unless the packages of the extra `sandbox` are there."""
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f'the sandbox needs {" and ".join(missing)}; run: pip install "iprog-async[sandbox]"'
        )


def installed_gateways() -> dict[str, SandboxGateway]:
    """Return the gateways of the installed providers that can be played, by provider.

    One that fails to say how it is played is left out with a warning in the log.
    """
    gateways, problems = load_gateways()
    for problem in problems.values():
        logger.warning("%s", problem)
    return gateways


def load_gateways() -> tuple[dict[str, SandboxGateway], dict[str, str]]:
    """Return the gateways that can be played, and of each that fails what is wrong, in words."""
    gateways: dict[str, SandboxGateway] = {}
    problems: dict[str, str] = {}
    for name, cls in provider_types().items():
        try:
            gateway = cls.sandbox()
            if gateway is not None and not isinstance(gateway, SandboxGateway):
                raise TypeError(f"sandbox() returned a {type(gateway).__name__}, no SandboxGateway")
        except Exception as exc:
            # A plug-in of somebody else's may raise anything.
            why = f"{type(exc).__name__}: {exc}"
            problems[name] = f"the provider {name!r} can't be played by the sandbox: {why}"
            continue
        if gateway is not None:
            gateways[name] = gateway
    return gateways, problems


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
