"""What addresses in a page repeat of the request that it answers."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qsl

from iprog_async._http.acceptance import signs_of_acceptance


_QUERY = re.compile(r"""(?<=[\w/])\?(?=[\w%.~\[\]-]{1,60}=)[^\s"'<>#]{1,8000}""")


def without_queries(page: str) -> str:
    """Return a page without the queries of its addresses, but for those that tell of a text.

    A redirection leads to the same request elsewhere, with its numbers and its key; one with an id
    or a count leads to what became of it.
    """
    return _QUERY.sub(lambda query: query[0] if _tells(query[0]) else "", page)


def _tells(query: str) -> bool:
    fields = parse_qsl(html.unescape(query[1:]), keep_blank_values=True)
    return any(signs_of_acceptance({name: value}) for name, value in fields)
