"""Addresses: a provider with its credentials as one string, `iprog://TOKEN@`.

Several stand side by side, with white space around the sign between them: `A || B` for failover,
`A && B` for round robin. Settings of all of them together stand behind a parenthesis around
them, `(A || B)?region=PH`, since what follows a bare `B?` is a setting of `B` alone. No address
begins with a parenthesis, and in a credential a sign has no white space around it, so nothing
else reads like this.

A gateway that a file describes has that file's path as its address: `acme.toml`, with settings
behind a question mark, is `toml://@?file=acme.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import field, frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.redaction import veiled
from iprog_async._core.sealed import seal, seal_mapping


Sign = Literal["||", "&&"]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII)
# With white space around it: a credential has | and & percent-encoded, and no spaces.
_SIGN = re.compile(r"(?:^|(?<=\s))(\|\||&&)(?=\s|$)")
_GROUP = re.compile(r"\((?P<members>.*)\)(?:\?(?P<settings>\S*))?", re.DOTALL)
_GROUP_SETTINGS = frozenset({"name", "region"})
# Where a path has a question mark, it is written as a setting: toml://@?file=…
_FILE = re.compile(r"(?P<file>(?:(?!://)[^?#|&])+\.toml)(?:\?(?P<settings>\S*))?")
_HOW_TO_GROUP = (
    "a parenthesis in an SMS address stands around all gateways, with settings of all of them "
    "behind it: (iprog://TOKEN@ || infopromo://TOKEN@)?region=PH; it takes name and region "
    "(the address given is not shown: it may hold a credential)"
)


@frozen
class SmsUrl:
    """A parsed address; its repr shows no credential.

    Args:
        scheme: Which provider.
        username: The part before the colon, percent-decoded: a token, key or user name.
        password: The part after the colon, percent-decoded.
        host: Host and port, or empty for the gateway's own host.
        params: Settings after the question mark.
    """

    scheme: str
    username: str = field(converter=seal, repr=False)
    password: str = field(converter=seal, repr=False)
    host: str
    params: dict[str, str] = field(converter=seal_mapping, repr=False)

    def credential(self) -> str:
        """Return the one credential of a gateway that has no user names.

        Raises:
            ConfigurationError: There are two, separated by a colon.
        """
        if self.password:
            raise ConfigurationError(
                f"{self.scheme}:// takes one credential; if it has a colon, write %3A for it"
            )
        return self.username

    def base_url(self, default: str | None = None) -> str:
        """Return `base_url=` from the settings, or `https://` and the host, or the default.

        Raises:
            ConfigurationError: None of the three is there.
        """
        given = self.params.get("base_url") or (f"https://{self.host}" if self.host else default)
        if not given:
            raise ConfigurationError(
                f"{self.scheme}:// has no default host; write {self.scheme}://TOKEN@sms.example.com"
            )
        # An address without credentials, which the adapter checks: no secret, and to be shown.
        return str(given)

    def settings(self, **known: Callable[[str], Any]) -> dict[str, Any]:
        """Return the settings besides `base_url`, each turned into its type.

        Args:
            known: The settings there are, and what turns their text into a value.

        Raises:
            ConfigurationError: One is not known, or its value makes no sense.
        """
        given = {key: value for key, value in self.params.items() if key != "base_url"}
        unknown = sorted(given.keys() - known.keys())
        if unknown:
            raise ConfigurationError(
                f"{self.scheme}:// has no setting {veiled(', '.join(unknown))}; "
                f"it takes {', '.join(sorted({*known, 'base_url'}))}"
            )
        return {key: self._setting(key, value, known[key]) for key, value in given.items()}

    def _setting(self, key: str, text: str, convert: Callable[[str], Any]) -> Any:
        try:
            return convert(text)
        except (ValueError, KeyError):
            raise ConfigurationError(f"{self.scheme}:// can't use {key}={veiled(text)!r}") from None


def to_flag(text: str) -> bool:
    """Read a yes-or-no setting; raises `KeyError` for anything else."""
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[
        text.lower()
    ]


def parse_address(text: str) -> SmsUrl:
    """Parse an address; credentials in it are percent-encoded.

    Raises:
        ConfigurationError: It is no address; the error does not show it.
    """
    if described := _FILE.fullmatch(text.strip()):
        return _of_file(described["file"], described["settings"] or "")
    scheme, separator, rest = text.strip().partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        raise ConfigurationError(
            "an SMS address looks like iprog://TOKEN@ (the one given is not shown: "
            "it may hold a credential)"
        )
    try:
        parts = urlsplit(f"//{rest}")
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        # Reading the port checks it.
        port = parts.port
    except ValueError:
        raise ConfigurationError(f"the {scheme}:// address can't be parsed") from None
    if parts.path.strip("/") or parts.fragment:
        raise ConfigurationError(
            f"the {scheme}:// address has a path or fragment; percent-encode the credential "
            "(/ is %2F, # is %23), leave out the API's path, which the adapter appends itself, "
            "or give a proxy's path as base_url="
        )
    credentials, at, host = parts.netloc.rpartition("@")
    if not at:
        raise ConfigurationError(
            f"the {scheme}:// address names no credential; write {scheme}://TOKEN@"
        )
    username, _, password = credentials.partition(":")
    if port is None:
        host = host.rstrip(":")
    return SmsUrl(scheme, unquote(username), unquote(password), host, _unique(scheme, pairs))


def _of_file(path: str, query: str) -> SmsUrl:
    """Return the address of a gateway that a file describes; its credentials are elsewhere."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ConfigurationError("the settings behind the file's path can't be parsed") from None
    return SmsUrl("toml", "", "", "", _unique("toml", [("file", path), *pairs]))


@frozen
class SmsUrls:
    """One parsed address, or several that are used as one.

    Args:
        members: The addresses, in order.
        sign: What stands between them: `"||"` for failover, `"&&"` for round robin.
        settings: `name` and `region` of all of them together.
    """

    members: tuple[SmsUrl, ...]
    sign: Sign | None = None
    settings: dict[str, Any] = field(factory=dict[str, Any])


def parse_addresses(text: str) -> SmsUrls:
    """Parse one address, or several with the sign between them.

    Raises:
        ConfigurationError: One is no address, both signs are there, or the settings of all are
            wrong; no address is shown.
    """
    # A variable that is not set is `None`, whatever the annotation says.
    if not isinstance(cast(object, text), str):
        raise ConfigurationError(f"an SMS address is a str, not {type(text).__name__}")
    text = text.strip()
    settings: dict[str, Any] = {}
    if text.startswith("("):
        group = _GROUP.fullmatch(text)
        if group is None:
            raise ConfigurationError(_HOW_TO_GROUP)
        text, settings = group["members"], _group_settings(group["settings"] or "")
    signs = cast("set[Sign]", set(_SIGN.findall(text)))
    if len(signs) > 1:
        raise ConfigurationError("an address takes || or && between gateways, not both")
    if settings and not signs:
        raise ConfigurationError(
            "settings behind a parenthesis are for several gateways; those of a single one stand "
            "in its own address, such as iprog://TOKEN@?name=shop"
        )
    members = tuple(parse_address(part) for part in _SIGN.split(text)[::2])
    return SmsUrls(members, next(iter(signs), None), settings)


def _group_settings(query: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ConfigurationError(_HOW_TO_GROUP) from None
    settings = dict(pairs)
    if len(settings) < len(pairs) or not settings.keys() <= _GROUP_SETTINGS:
        raise ConfigurationError(_HOW_TO_GROUP)
    return settings


def _unique(scheme: str, pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    params: dict[str, str] = {}
    for key, value in pairs:
        if key in params:
            raise ConfigurationError(f"the {scheme}:// address sets {key} twice")
        params[key] = value
    return params
