"""What a page tells beside its text: in attributes, in a script, in what a style sheet writes.

"2 of 5 are out" may stand in an `aria-label`, in `data-sent` or in a call of a script, next to a
text that says "429 Too Many Requests". So the attributes that only lay a page out are listed; any
other one is read as a part of what the page says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from iprog_async._http.acceptance import names_in


_LAYOUT = names_in(
    "accept-charset action align alink aria-hidden aria-labelledby aria-live async "
    "autocomplete autofocus background bgcolor border bordercolor cellpadding cellspacing "
    "charset class color cols colspan crossorigin data-translate defer dir disabled enctype "
    "face frameborder height hidden href hreflang hspace http-equiv id integrity lang "
    "leftmargin link loading marginheight marginwidth maxlength media method name nonce "
    "noshade novalidate nowrap profile referrerpolicy rel rev role rows rowspan scope "
    "scrolling size sizes src style tabindex target text topmargin type valign vlink vspace "
    "width xml:lang xmlns"
)
# Their values are words of the page, and their names are not.
_OF_TEXT = names_in("alt aria-description aria-label content label placeholder summary title value")
# `<meta>` has these for whoever draws a page.
_SETTING = re.compile(
    r"text/html(; ?charset=[\w-]{1,20})?|ie=edge(,chrome=1)?|light dark|origin"
    r"|(no)?(archive|follow|index|snippet)(, ?no(archive|follow|index|snippet)){0,4}"
    r"|((^|[,;] ?)((initial|maximum|minimum)-scale|height|user-scalable|viewport-fit|width)"
    r"=[a-z\d.-]{1,20}){1,6}",
    re.IGNORECASE,
)
# Of header fields that a page has in itself: how long it may be kept.
_KEPT = re.compile(
    r"(?:(?:-1|0|max-age=0|must-revalidate|no-cache|no-store|private)(?:, ?|$)){1,6}",
    re.IGNORECASE,
)
_OF_HEADERS = {"cache-control": _KEPT, "expires": _KEPT, "pragma": _KEPT}
# "0;url='/v2'"
_REFRESH = re.compile(r"\d{1,2}; ?url=['\"]?(\S{1,2000})", re.IGNORECASE)
_TAG = re.compile(r"<([^<>]*)>")
_NAME_OF_TAG = re.compile(r"/?([a-z][a-z0-9]*)(?![^\s/])", re.IGNORECASE)
_PROLOGUE = re.compile(r"!doctype\b|\?xml\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([^\s"'=/]++)(?:\s*+=\s*+("[^"]*"|'[^']*'|[^\s"']++))?|["'=]""")
# "/messages/8812" leads to one of many.
_TO_ONE = re.compile(r"(?<![:/])[/=#][^/=#\s]{0,40}\d{3}")
_ASIDE = re.compile(r"<((?:script|style)\b[^<>]*)>", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b[^<>]*>\s*+([^\s<]|<(?!/script))", re.IGNORECASE)
_STYLE = re.compile(r"<style\b[^<>]*>([^<]*)", re.IGNORECASE)
# What a style sheet puts in front of an element: an icon of a font, or a sentence.
_WRITES = re.compile(
    r"""(?<![\w.#-])content(?![\w-])\s*+:?+\s*+(?!(?:""|''|none|normal|inherit)\s*[;!}])[^\s{]""",
    re.IGNORECASE,
)


def told_beside(text: str, page: str) -> Iterator[str]:
    """Yield what a page says beside its text, as it is written.

    Args:
        text: The whole page.
        page: The same without its scripts, style sheets and edges of comments.
    """
    if _SCRIPT.search(text):
        yield "script"
    if any(_WRITES.search(sheet) for sheet in _STYLE.findall(text)):
        yield "style"
    tags = [*_TAG.findall(page), *(tag[1] for tag in _ASIDE.finditer(text))]
    for tag in tags:
        yield from _told_in(tag)


def _told_in(tag: str) -> Iterator[str]:
    named = _NAME_OF_TAG.match(tag)
    if named is None:
        if not _PROLOGUE.match(tag):
            yield tag
        return
    attributes = [
        ((found[1] or found[0]).lower(), (found[2] or "").strip("\"'").strip())
        for found in _ATTRIBUTE.finditer(tag, named.end())
    ]
    field = dict(attributes).get("http-equiv", "").lower()
    leads = named[1].lower() in ("a", "area", "form")
    for key, value in attributes:
        if key in _OF_TEXT:
            if field == "refresh" and (moves := _REFRESH.fullmatch(value)):
                if _TO_ONE.search(moves[1]):
                    yield value
            elif value and not _OF_HEADERS.get(field, _SETTING).fullmatch(value):
                yield value
        elif key not in _LAYOUT:
            yield f"{key} {value}"
        elif leads and key in ("action", "href") and _TO_ONE.search(value):
            yield value
