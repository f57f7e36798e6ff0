"""Finding the provider that an address or the environment means."""

from __future__ import annotations

import os
from collections.abc import Mapping

from iprog_async._core.errors import ConfigurationError, SmsError
from iprog_async._core.tracebacks import discreet
from iprog_async._providers.protocols import SmsProvider
from iprog_async._providers.registry import load_providers, provider_type
from iprog_async._providers.url import parse_addresses
from iprog_async._routing.routers import Failover, RoundRobin


@discreet
def provider_from_url(address: str) -> SmsProvider:
    """Build the provider that an address such as `iprog://TOKEN@` means.

    Args:
        address: One address; several separated by ` || ` for a `Failover`, or by ` && ` for a
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


@discreet
def provider_from_env(environ: Mapping[str, str] | None = None) -> SmsProvider:
    """Build the provider that the environment names: `SMS_URL`, or one gateway's credentials.

    Raises:
        ConfigurationError: Nothing is set, or the credentials of several gateways are.
    """
    env = os.environ if environ is None else environ
    if env.get("SMS_URL", "").strip():
        try:
            return provider_from_url(env["SMS_URL"])
        except ConfigurationError as exc:
            raise _naming(("SMS_URL",), exc) from exc
    types, problems = load_providers()
    found: dict[str, SmsProvider] = {}
    for name, cls in types.items():
        try:
            provider = cls.from_env(env)
        except ConfigurationError as exc:
            given = tuple(name for name in cls.env_names if env.get(name))
            raise _naming(given, exc) from exc
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


def _naming(names: tuple[str, ...], error: ConfigurationError) -> ConfigurationError:
    """Return an error that names the variables it came out of, if it does not yet."""
    words = str(error)
    if not names or any(name in words for name in names):
        return error
    return ConfigurationError(f"{' + '.join(names)} in the environment: {words}")
