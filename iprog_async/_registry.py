"""The providers that are installed, ours and anyone's, and finding the one that is meant."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from iprog_async._adapters import BaseProvider
from iprog_async._address import parse_addresses
from iprog_async._errors import ConfigurationError, SmsError
from iprog_async._providers import Capabilities, SmsProvider
from iprog_async._routing import Failover, RoundRobin


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
            f"there is no provider {name!r}; installed are {', '.join(provider_names()) or 'none'}"
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


def provider_from_url(address: str) -> SmsProvider:
    """Build the provider that an address such as `iprog://TOKEN@` means.

    Args:
        address: One address; several parted by ` || ` for a `Failover`, or by ` && ` for a
            `RoundRobin` with equal shares. Two accounts of one gateway need a `?name=` each.
            With a parenthesis around all of them, settings of the router itself stand behind
            it: `(iprog://TOKEN@ || infopromo://TOKEN@)?region=PH`; `region` is that in which
            national numbers are read, `name` the router's label.

    Raises:
        ConfigurationError: The address, its credentials or its settings are wrong; no
            credential is shown.
    """
    urls = parse_addresses(address)
    members = [provider_type(url.scheme).from_url(url) for url in urls.members]
    if urls.sign is None:
        return members[0]
    router = Failover if urls.sign == "||" else RoundRobin
    return router(*members, **urls.settings)


def provider_from_env(environ: Mapping[str, str] | None = None) -> SmsProvider:
    """Build the provider that the environment names: `SMS_URL`, or one gateway's credentials.

    Raises:
        ConfigurationError: Nothing is set, or the credentials of several gateways are.
    """
    env = os.environ if environ is None else environ
    if env.get("SMS_URL", "").strip():
        return provider_from_url(env["SMS_URL"])
    types, problems = load_providers()
    found: dict[str, SmsProvider] = {}
    for name, cls in types.items():
        try:
            provider = cls.from_env(env)
        except SmsError:
            raise
        except Exception as exc:
            # Its words may quote a credential.
            why = f"the provider {name!r} can't read the environment: {type(exc).__name__}"
            problems[name] = ConfigurationError(why)
            continue
        if provider is not None:
            found[name] = provider
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise ConfigurationError(
            f"the environment has credentials for {', '.join(found)}; "
            "say which one is meant with SMS_URL, for example SMS_URL=iprog://TOKEN@"
        )
    names = [" + ".join(cls.env_names) for cls in types.values() if cls.env_names]
    broken = "".join(f"; {problem}" for problem in problems.values())
    raise ConfigurationError(
        f"no gateway is configured; set SMS_URL, or one of: {'; '.join(dict.fromkeys(names))}"
        f"{broken}"
    )
