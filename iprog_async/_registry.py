"""The providers that are installed, ours and anyone's, and finding the one that is meant."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from iprog_async._adapters import BaseProvider
from iprog_async._address import SmsUrl, parse_address
from iprog_async._errors import ConfigurationError
from iprog_async._providers import SmsProvider
from iprog_async._routing import Failover, RoundRobin


GROUP = "iprog_async.providers"

ProviderType = type[BaseProvider]

# With white space around it: a credential has | and & percent-encoded, and no spaces.
_SIGN = re.compile(r"(?:^|(?<=\s))(\|\||&&)(?=\s|$)")


@lru_cache(maxsize=1)
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name)}


def provider_names() -> tuple[str, ...]:
    """Return the names of the installed providers, in order; they are also address schemes."""
    return tuple(_entries())


def provider_type(name: str) -> ProviderType:
    """Load a provider's class by its name.

    Raises:
        ConfigurationError: There is none of this name, or it can't be imported.
    """
    entry = _entries().get(name)
    if entry is None:
        raise ConfigurationError(
            f"there is no provider {name!r}; installed are {', '.join(provider_names()) or 'none'}"
        )
    try:
        loaded: Any = entry.load()
    except (ImportError, AttributeError) as exc:
        raise ConfigurationError(f"the provider {name!r} can't be loaded: {exc}") from exc
    if not (isinstance(loaded, type) and issubclass(loaded, BaseProvider)):
        raise ConfigurationError(f"the provider {name!r} is no subclass of BaseProvider")
    return loaded


def provider_types() -> dict[str, ProviderType]:
    """Load the classes of all installed providers, by name."""
    return {name: provider_type(name) for name in provider_names()}


def provider_from_url(address: str) -> SmsProvider:
    """Build the provider that an address such as `iprog://TOKEN@` means.

    Args:
        address: One address; several parted by ` || ` for a `Failover`, or by ` && ` for a
            `RoundRobin` with equal shares. Two accounts of one gateway need a `?name=` each.

    Raises:
        ConfigurationError: The address, its credentials or its settings are wrong; no
            credential is shown.
    """
    urls, sign = parse_addresses(address)
    members = [provider_type(url.scheme).from_url(url) for url in urls]
    if sign is None:
        return members[0]
    return Failover(*members) if sign == "||" else RoundRobin(*members)


def parse_addresses(text: str) -> tuple[list[SmsUrl], str | None]:
    """Parse one address, or several, and the sign between them.

    Raises:
        ConfigurationError: One is no address, or both signs are there; no address is shown.
    """
    signs = set(_SIGN.findall(text))
    if len(signs) > 1:
        raise ConfigurationError("an address takes || or && between gateways, not both")
    urls = [parse_address(part) for part in _SIGN.split(text)[::2]]
    return urls, next(iter(signs), None)


def provider_from_env(environ: Mapping[str, str] | None = None) -> SmsProvider:
    """Build the provider that the environment names: `SMS_URL`, or one gateway's credentials.

    Raises:
        ConfigurationError: Nothing is set, or the credentials of several gateways are.
    """
    env = os.environ if environ is None else environ
    if env.get("SMS_URL", "").strip():
        return provider_from_url(env["SMS_URL"])
    found = {
        name: provider
        for name, cls in provider_types().items()
        if (provider := cls.from_env(env)) is not None
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise ConfigurationError(
            f"the environment has credentials for {', '.join(found)}; "
            "say which one is meant with SMS_URL, for example SMS_URL=iprog://TOKEN@"
        )
    names = [" + ".join(cls.env_names) for cls in provider_types().values() if cls.env_names]
    raise ConfigurationError(
        f"no gateway is configured; set SMS_URL, or one of: {'; '.join(dict.fromkeys(names))}"
    )
