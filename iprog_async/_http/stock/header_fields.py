"""Whether the header fields of an answer lead to what became of a text.

A redirection leads to the same call elsewhere; what names a place beside any other status has made
something there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from iprog_async._http.acceptance import ValueName, names_in, says_taken
from iprog_async._http.stock.addresses import leads_to_one, refreshes_to


_MADE = frozenset(("location", "operation-location", "azure-asyncoperation"))
_ADDRESSES = frozenset(("href", "link", "location", "redirect", "uri", "url"))
# Of what was asked, and of what is written about a gateway.
_OTHERS_ADDRESSES = names_in(
    "cdn cf csp debug doc docs documentation endpoint forwarded help host original policy "
    "rewrite support trace"
)
_PLACE = re.compile(r"[/:]")
_MOST_LINKS = 50
_LONGEST_LINKS = 8_000
_LINK = re.compile(r"<([^<>]{0,2000})>([^<>]{0,500})")
_RELATION = re.compile(r"\brel ?= ?\"?([^\";,]{1,200})", re.IGNORECASE)
# What a page is drawn with, and where a gateway is described.
_HARMLESS = names_in(
    "apple-touch-icon deprecation describedby dns-prefetch help icon license manifest "
    "modulepreload preconnect prefetch preload privacy-policy service-desc service-doc shortcut "
    "stylesheet sunset terms-of-service"
)


def lead_to_a_text(
    headers: Mapping[str, str], status: int, asked: str, fields: Collection[str] = ()
) -> bool:
    """Return whether a header field leads, or may lead, to a text.

    Args:
        headers: Header fields, names in lower case.
        status: The HTTP status that they came with.
        asked: The address that was asked, without its query.
        fields: The names in its query.
    """
    return any(
        _is_of_a_text(key, value.strip(), status, asked, fields)
        for key, value in headers.items()
        if value.strip()
    )


def _is_of_a_text(key: str, value: str, status: int, asked: str, fields: Collection[str]) -> bool:
    if key in _MADE and not (key == "location" and 300 <= status < 400):
        return True
    if key == "refresh":
        address = refreshes_to(value)
        return bool(address) and leads_to_one(address, asked, fields)
    if key == "link":
        if len(value) > _LONGEST_LINKS:
            return True
        links = [each[1] for each in _LINK.finditer(value) if not _is_harmless(each[2])]
        return len(links) > _MOST_LINKS or any(leads_to_one(each, asked, fields) for each in links)
    named = _named(key[:100])
    if named == "location" and not _PLACE.search(value):
        # "MNL1" is where a server stands.
        return says_taken(value)
    return bool(named) and leads_to_one(value, asked, fields)


# Names only: a value may be a secret.
@lru_cache(512)
def _named(key: str) -> str:
    """Return what a header field calls an address; nothing if it is of none, or of another one."""
    parts = ValueName.of(key).parts
    if not _OTHERS_ADDRESSES.isdisjoint(parts):
        return ""
    if "location" in parts:
        return "location"
    return next((part for part in parts if part in _ADDRESSES), "")


def _is_harmless(described: str) -> bool:
    relation = _RELATION.search(described)
    return relation is not None and not _HARMLESS.isdisjoint(relation[1].lower().split())
