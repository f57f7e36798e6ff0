"""The providers that are installed, ours and anyone's."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.redaction import shown
from iprog_async._providers.base import BaseProvider
from iprog_async._providers.protocols import Capabilities


if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "iprog_async.providers"

ProviderType = type[BaseProvider]

logger = logging.getLogger("iprog_async")


@lru_cache(maxsize=1)
def _entries() -> dict[str, EntryPoint]:
    # Imported here: it takes as long as a tenth of the library, and many apps need it never.
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name)}


def provider_names() -> tuple[str, ...]:
    """Return the names of the installed providers, in order; they are also address schemes."""
    return tuple(_entries())


def provider_type(name: str) -> ProviderType:
    """Load a provider's class by its name.

    Raises:
        ConfigurationError: There is none of this name, it can't be imported, or it is no whole
            provider.
    """
    entry = _entries().get(name)
    if entry is None:
        raise ConfigurationError(
            f"there is no provider {shown(name)}; installed are "
            f"{', '.join(provider_names()) or 'none'}"
        )
    try:
        loaded: Any = entry.load()
    except Exception as exc:
        # Importing runs code of somebody else's, which may raise anything.
        why = f"{type(exc).__name__}: {exc}"
        raise ConfigurationError(f"the provider {name!r} can't be loaded: {why}") from exc
    if not (isinstance(loaded, type) and issubclass(loaded, BaseProvider)):
        raise ConfigurationError(f"the provider {name!r} is no subclass of BaseProvider")
    if missing := missing_pieces(loaded):
        raise ConfigurationError(f"the provider {name!r} is not whole: it has no {missing}")
    return loaded


def missing_pieces(cls: ProviderType) -> str:
    """Return what a provider's class lacks to be found by its name, in words; empty if nothing."""
    missing: list[str] = sorted(getattr(cls, "__abstractmethods__", ()))
    if not isinstance(getattr(cls, "scheme", None), str):
        missing.append("scheme")
    if not isinstance(getattr(cls, "capabilities", None), Capabilities):
        missing.append("capabilities")
    return ", ".join(missing)


def provider_types() -> dict[str, ProviderType]:
    """Load the classes of all installed providers, by name.

    One that can't be loaded is left out with a warning in the log: it hides no other.
    """
    types, problems = load_providers()
    for problem in problems.values():
        logger.warning("%s", problem)
    return types


def load_providers() -> tuple[dict[str, ProviderType], dict[str, ConfigurationError]]:
    """Load the classes of all installed providers; say of each of the others what is wrong."""
    types: dict[str, ProviderType] = {}
    problems: dict[str, ConfigurationError] = {}
    for name in provider_names():
        try:
            types[name] = provider_type(name)
        except ConfigurationError as exc:
            problems[name] = exc
    return types, problems
