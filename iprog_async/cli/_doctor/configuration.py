"""Which gateway the environment means, told by the names of variables and never their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve, frozen

from iprog_async._client.from_config import provider_from_env, provider_from_url
from iprog_async._core.errors import ConfigurationError, SmsError
from iprog_async._engines.environment import Variable
from iprog_async._engines.proxies import proxy_for, proxy_variables
from iprog_async._engines.trust import trust_variables
from iprog_async._providers.protocols import SmsProvider
from iprog_async._providers.registry import provider_type
from iprog_async._providers.url import parse_addresses
from iprog_async._routing.base import gateways_of
from iprog_async.cli._errors.failure import CommandFailure, from_error


ADDRESS = "SMS_URL"


@frozen(kw_only=True)
class Configuration:
    """What is configured.

    Args:
        source: Where the gateway was taken from: `"--url"`, `"SMS_URL"` or `"credentials"`.
        variables: Names of the variables that are set, of those that adapters read.
        scheme: Scheme of the address, of several separated by commas, if it can be read.
        provider: What was built.
        problem: Why none could be built.
    """

    source: str
    variables: tuple[str, ...]
    scheme: str | None = None
    provider: SmsProvider | None = None
    problem: CommandFailure | None = None


def examine(url: str | None, environ: Mapping[str, str], loadable: Iterable[str]) -> Configuration:
    """Find out what is configured, and whether a provider can be built from it.

    Args:
        url: The value of `--url`.
        environ: The environment.
        loadable: Names of the providers that can be loaded.
    """
    names = [ADDRESS, *(name for plugin in loadable for name in provider_type(plugin).env_names)]
    variables = tuple(name for name in dict.fromkeys(names) if environ.get(name, "").strip())
    address = url if url is not None else environ.get(ADDRESS, "").strip() or None
    source = "--url" if url is not None else ADDRESS if address else "credentials"
    scheme = None
    try:
        if address is not None:
            scheme = ", ".join(url.scheme for url in parse_addresses(address).members)
            provider = provider_from_url(address)
        else:
            provider = provider_from_env(environ)
    except SmsError as exc:
        return Configuration(
            source=source, variables=variables, scheme=scheme, problem=from_error(exc)
        )
    return Configuration(source=source, variables=variables, scheme=scheme, provider=provider)


def network_variables(provider: SmsProvider | None) -> list[Variable]:
    """Return the variables that connections depend on and that are set, each checked.

    Args:
        provider: What is configured: a proxy that none of its gateways is reached through is
            no problem.
    """
    gateways = [] if provider is None else gateways_of(provider)
    addresses = [address for each in gateways if (address := getattr(each, "base_url", None))]
    proxies = proxy_variables()
    if addresses:
        met = {complaint for address in addresses if (complaint := _complaint(address))}
        proxies = [
            each if str(each.error()) in met else evolve(each, problem="") for each in proxies
        ]
    return [*trust_variables(), *proxies]


def _complaint(address: str) -> str:
    """Return what is wrong with the proxy of an address, if anything."""
    try:
        proxy_for(address)
    except ConfigurationError as exc:
        return str(exc)
    return ""
