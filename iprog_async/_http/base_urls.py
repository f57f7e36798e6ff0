"""Base URLs: which addresses are one, and what of the API's own path vendors print with them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.redaction import looks_secret, shown
from iprog_async._core.sealed import MASK


_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\[\]]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{0,5}))?")
# RFC 1034, 3.1, and the underscore, which is found in names of machines.
_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII | re.IGNORECASE)
_LONGEST_NAME = 253
# Longer ones than httpx reads, with room for a path and a query.
_LONGEST = 2000


def to_base_url(url: str) -> str:
    """Return an address that paths can be appended to.

    A dot at its end is that of the sentence it was copied from. What httpx can't read is refused,
    whichever engine is going to be used.

    Raises:
        ConfigurationError: It is none, or holds a credential.
    """
    base = url.strip().rstrip("/")
    if base.endswith(".") and not base.endswith(("/.", "..")):
        base = base.removesuffix(".").rstrip("/")
    if "@" in base or "?" in base or "#" in base:
        # Not shown: it may hold a credential.
        raise ConfigurationError("base_url must hold no credentials, query or fragment")
    if not _is_address(base):
        raise ConfigurationError(f"base_url {shown(base)} is no http:// or https:// address")
    return base


def _is_address(base: str) -> bool:
    try:
        parts = urlsplit(base)
    except ValueError:
        return False
    authority = _HOST_AND_PORT.fullmatch(parts.netloc)
    return (
        parts.scheme in ("http", "https")
        and authority is not None
        and _is_host(authority["host"])
        and 0 < int(authority["port"] or 1) < 65536
        and len(base) <= _LONGEST
        and base.isprintable()
        and not any(char in base for char in " \\")
        # They lead to another path than the one that is read here.
        and not {".", ".."}.intersection(parts.path.split("/"))
    )


def _is_host(host: str) -> bool:
    """Return whether a host can be looked up, or is the address of a machine."""
    if host.startswith("["):
        return _is_ip(host[1:-1], ipaddress.IPv6Address)
    if not host.isascii():
        return _is_international(host)
    name = host.removesuffix(".")
    labels = name.split(".")
    if labels[-1].isdigit():
        # Programs read `10.1` as `10.0.0.1`: who writes it has lost a number.
        return _is_ip(host, ipaddress.IPv4Address)
    return len(name) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, labels))


def _is_ip(host: str, kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    with suppress(ValueError):
        kind(host)
        return True
    return False


def _is_international(host: str) -> bool:
    # Imported late: hardly any host needs it, and it takes half a second.
    import httpx

    try:
        url = httpx.URL(f"https://{host}")
        # One that is read as another name, as with the full stops of other scripts, is unclear.
        return url.host == host.lower() and _is_host(url.raw_host.decode("ascii"))
    except (httpx.InvalidURL, ValueError):
        return False


# What API paths of these gateways look like, whichever vendor's: `/api/v2`, `/api/http`. What
# else stands behind `/api` is another one's, too, unless this one's whole path follows.
_VERSION = re.compile(r"v\d+|http", re.ASCII)
# A piece of a path that is no word may be a token, which belongs elsewhere.
_WORDS = re.compile(r"[A-Za-z]+(?:[-_.~][A-Za-z]+)*", re.ASCII)


def _segments(path: str) -> tuple[str, ...]:
    return tuple(unquote(segment).lower() for segment in path.split("/") if segment)


def _is_end_of(tail: tuple[str, ...], root: tuple[str, ...], endpoint: tuple[str, ...]) -> bool:
    """Return whether the end of a path is an endpoint, with at least a piece of what is before it.

    One word alone, such as `/sms`, may be the path of a proxy.
    """
    return len(tail) > 1 and len(tail) >= len(endpoint) and (root + endpoint)[-len(tail) :] == tail


@frozen
class ApiPaths:
    """The paths of an adapter's API, so that a base URL that holds them already is understood.

    Args:
        root: What every path of this adapter begins with, such as `/api/v3`; empty if it appends
            no more than an endpoint.
        endpoints: What stands behind it, such as `sms/send`.
        others: Roots of the vendor's other APIs, each with the adapter that speaks it; empty
            if none does. They may begin with this one's.
        kept: Roots that the base URL holds itself, where `root` is empty.
    """

    root: str
    endpoints: tuple[str, ...]
    others: Mapping[str, str] = field(factory=dict[str, str])
    kept: tuple[str, ...] = ()

    def base_of(self, url: str) -> str:
        """Return a base URL without the part that this adapter appends.

        A path that is none of an API's, as that of a reverse proxy, stays; one that looks like an
        API's does where all of this one's path is behind it.

        Args:
            url: A checked base URL without a slash at its end.

        Raises:
            ConfigurationError: It holds the path of another API, or a piece of this one; the
                error says what to write.
        """
        path = urlsplit(url).path
        given = [segment for segment in path.split("/") if segment]
        known = _segments(path)
        host = url.removesuffix(path)
        found = self._last_root(known)
        if found is None:
            if not self.root and (ends := [known.index(e) for e in self.endpoints if e in known]):
                return self._before_endpoint(url, host, given, min(ends))
            self._refuse_pieces(url, host, given, known)
            return url
        start, root = found
        base = "/".join((host, *given[:start]))
        if root in map(_segments, self.kept):
            return "/".join((host, *given[: start + len(root)]))
        if root != _segments(self.root):
            raise self._error(url, self._whose("/" + "/".join(root)), base)
        if self._last_root(known[:start]) is not None:
            raise self._error(url, f"holds the path of an API before its {self.root}", host)
        return base

    def _before_endpoint(self, url: str, host: str, given: Sequence[str], end: int) -> str:
        """Return the base of an address that holds no more of this API than its endpoint."""
        base = "/".join((host, *given[:end]))
        if end < len(given) - 1:
            raise self._error(url, "has something behind an endpoint", base)
        return base

    def _last_root(self, known: Sequence[str]) -> tuple[int, tuple[str, ...]] | None:
        """Return where the last API's root begins that ends the path, or has endpoints behind it.

        What else stands behind a root may be the path of a proxy: `/api/v1/sms-proxy/api/v3`.
        """
        firsts = {endpoint.split("/")[0] for endpoint in self.endpoints}
        found: tuple[int, tuple[str, ...]] | None = None
        start = 0
        while start < len(known):
            root = self._root_at(known, start)
            behind = known[start + len(root) :]
            if root and (not behind or behind[0] in firsts):
                found = start, root
            start += len(root) or 1
        return found

    def _root_at(self, known: Sequence[str], start: int) -> tuple[str, ...]:
        # The longest first: one may be what another begins with.
        roots = filter(None, map(_segments, (self.root, *self.others, *self.kept)))
        for root in sorted(roots, key=len, reverse=True):
            if tuple(known[start : start + len(root)]) == root:
                return root
        two = tuple(known[start : start + 2])
        looks_so = len(two) == 2 and two[0] == "api" and _VERSION.fullmatch(two[1])
        return two if looks_so else ()

    def _refuse_pieces(
        self, url: str, host: str, given: Sequence[str], known: Sequence[str]
    ) -> None:
        """Raise `ConfigurationError` for a path that holds a piece of this API, or another one."""
        root = _segments(self.root)
        for end in range(1, len(known) + 1):
            tail = tuple(known[-end:])
            if any(_is_end_of(tail, root, _segments(each)) for each in self.endpoints):
                raise self._error(url, f"ends with an endpoint, but has no {self.root}", host)
        kept = [*map(_segments, self.kept)]
        for whole in (root, *kept):
            if len(whole) > 1 and known and known[-1] in whole:
                fault = f"ends with a piece of the API's path /{'/'.join(whole)}"
                held = whole if whole in kept else ()
                raise self._error(url, fault, "/".join((host, *given[:-1], *held)), below=True)
        start, strange = self._strange_root(known)
        if not strange:
            return
        if strange in (root, *kept):
            fault = f"holds /{'/'.join(strange)}, and behind it none of its endpoints"
            start += len(strange) if strange in kept else 0
        else:
            fault = self._whose("".join(f"/{self._seen(piece)}" for piece in strange))
        raise self._error(url, fault, "/".join((host, *given[:start])), below=True)

    def _strange_root(self, known: Sequence[str]) -> tuple[int, tuple[str, ...]]:
        """Return where an API's root begins that has nothing of this API behind it."""
        for start, (first, second) in enumerate(pairwise((*known, ""))):
            if root := self._root_at(known, start):
                return start, root
            if first == "api" and second not in ("", "api"):
                return start, (first, second)
        return 0, ()

    def _whose(self, root: str) -> str:
        whose = self.others.get(root)
        speaker = f", which {whose} speaks" if whose else ""
        return f"holds the path of another API, {root}{speaker}"

    def _error(self, url: str, fault: str, base: str, *, below: bool = False) -> ConfigurationError:
        """Return the error of a base URL.

        Args:
            url: What was given.
            fault: What is wrong with it.
            base: What to write.
            below: Whether it would be right in front of the API's path.
        """
        appended = self.root or f"/{self.endpoints[0]}"
        more = f", or {self._shown(url) + appended!r} if the API is below that path"
        return ConfigurationError(
            f"base_url {self._shown(url)!r} {fault}; this adapter appends {appended} itself: "
            f"write {self._shown(base)!r}{more if below else ''}"
        )

    def _shown(self, url: str) -> str:
        """Return a URL as people may see it, with `***` for what in its path may be a token."""
        path = urlsplit(url).path
        return url.removesuffix(path) + "/".join(map(self._seen, path.split("/")))

    def _seen(self, piece: str) -> str:
        own = map(_segments, (self.root, *self.endpoints, *self.others, *self.kept))
        if not piece or _VERSION.fullmatch(piece.lower()) or any(piece.lower() in o for o in own):
            return piece
        is_word = _WORDS.fullmatch(piece) is not None and not looks_secret(piece)
        return piece if is_word else MASK
