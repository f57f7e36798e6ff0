"""Base URLs as vendors print them: with the API's own path, which the adapter appends itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from attrs import field, frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.redaction import looks_secret
from iprog_async._core.sealed import MASK


# What API paths of these gateways look like, whichever vendor's: `/api/v2`, `/api/http`.
_VERSION = re.compile(r"v\d+|http", re.ASCII)
# A piece of a path that is no word may be a token, which belongs elsewhere.
_WORDS = re.compile(r"[A-Za-z]+(?:[-_.~][A-Za-z]+)*", re.ASCII)


def _segments(path: str) -> tuple[str, ...]:
    return tuple(segment for segment in path.lower().split("/") if segment)


@frozen
class ApiPaths:
    """The paths of an adapter's API, so that a base URL that holds them already is understood.

    Args:
        root: What every path of this adapter begins with, such as `/api/v3`.
        endpoints: What stands behind it, such as `sms/send`.
        others: Roots of the vendor's other APIs, each with the adapter that speaks it; empty
            if none does. They may begin with this one's.
    """

    root: str
    endpoints: tuple[str, ...]
    others: Mapping[str, str] = field(factory=dict[str, str])

    def base_of(self, url: str) -> str:
        """Return a base URL without the part that this adapter appends.

        A path that is none of the API's, as that of a reverse proxy, stays.

        Args:
            url: A checked base URL without a slash at its end.

        Raises:
            ConfigurationError: It holds the path of another API, or a piece of this one; the
                error says what to write.
        """
        path = urlsplit(url).path
        given = [segment for segment in path.split("/") if segment]
        known = [segment.lower() for segment in given]
        host = url.removesuffix(path)
        found = self._last_root(known)
        if found is None:
            self._refuse_pieces(url, host, given, known)
            return url
        start, root = found
        base = "/".join((host, *given[:start]))
        if root != _segments(self.root):
            raise self._error(url, self._whose("/" + "/".join(root)), base)
        if self._last_root(known[:start]) is not None:
            raise self._error(url, f"holds the path of an API before its {self.root}", host)
        return base

    def _last_root(self, known: Sequence[str]) -> tuple[int, tuple[str, ...]] | None:
        """Return where the last API's root begins that ends the path, or has endpoints behind it.

        What else stands behind a root is the path of a proxy: `/api/v1/sms-proxy`.
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
        for root in sorted(map(_segments, (self.root, *self.others)), key=len, reverse=True):
            if tuple(known[start : start + len(root)]) == root:
                return root
        two = tuple(known[start : start + 2])
        looks_so = len(two) == 2 and two[0] == "api" and _VERSION.fullmatch(two[1])
        return two if looks_so else ()

    def _refuse_pieces(
        self, url: str, host: str, given: Sequence[str], known: Sequence[str]
    ) -> None:
        """Raise `ConfigurationError` for a path that ends with a piece of the API's own."""
        root = _segments(self.root)
        for endpoint in map(_segments, self.endpoints):
            if len(endpoint) > 1 and tuple(known[-len(endpoint) :]) == endpoint:
                raise self._error(url, f"ends with an endpoint, but has no {self.root}", host)
        if len(root) > 1 and known and known[-1] in root:
            base = "/".join((host, *given[:-1]))
            raise self._error(
                url,
                f"ends with a piece of the API's path {self.root}",
                base,
                f", or {self._shown(url) + self.root!r} if the API is below that path",
            )

    def _whose(self, root: str) -> str:
        whose = self.others.get(root)
        speaker = f", which {whose} speaks" if whose else ""
        return f"holds the path of another API, {root}{speaker}"

    def _error(self, url: str, fault: str, base: str, more: str = "") -> ConfigurationError:
        return ConfigurationError(
            f"base_url {self._shown(url)!r} {fault}; this adapter appends {self.root} itself: "
            f"write {self._shown(base)!r}{more}"
        )

    def _shown(self, url: str) -> str:
        """Return a URL as people may see it, with `***` for what in its path may be a token."""
        path = urlsplit(url).path
        pieces = (piece if self._may_be_shown(piece) else MASK for piece in path.split("/"))
        return url.removesuffix(path) + "/".join(pieces)

    def _may_be_shown(self, piece: str) -> bool:
        own = map(_segments, (self.root, *self.endpoints, *self.others))
        if not piece or _VERSION.fullmatch(piece.lower()) or any(piece.lower() in o for o in own):
            return True
        return _WORDS.fullmatch(piece) is not None and not looks_secret(piece)
