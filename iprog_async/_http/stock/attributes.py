"""What a page tells beside its text: in attributes, in a script, in what a style sheet writes.

"2 of 5 are out" may stand in an `aria-label`, in `data-sent` or in a call of a script, next to a
text that says "429 Too Many Requests". So the attributes that only lay a page out are listed; any
other one is read as a part of what the page says.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterator, Mapping

from iprog_async._http.acceptance import names_in
from iprog_async._http.stock.addresses import leads_to_one, refreshes_to


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
_TAG = re.compile(r"<([^<>]*)>")
_NAME_OF_TAG = re.compile(r"/?([a-z][a-z0-9]*)(?![^\s/])", re.IGNORECASE)
_PROLOGUE = re.compile(r"!doctype\b|\?xml\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([^\s"'=/]++)(?:\s*+=\s*+("[^"]*"|'[^']*'|[^\s"']++))?|["'=]""")
# What shows another page, or leads to one; a form is sent to where it was.
_LEADS = {
    "a": "href",
    "area": "href",
    "base": "href",
    "embed": "src",
    "form": "action",
    "frame": "src",
    "iframe": "src",
    "link": "href",
}
# What a page is drawn with.
_DRAWN_WITH = names_in(
    "apple-touch-icon dns-prefetch icon manifest mask-icon modulepreload preconnect prefetch "
    "preload shortcut stylesheet"
)
# A sheet or a script that is written into its own address.
_WRITTEN_IN = re.compile(r"data:(?:text|application)/", re.IGNORECASE)
_ASIDE = re.compile(r"<((?:script|style)\b[^<>]*)>", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b[^<>]*>\s*+([^\s<]|<(?!/script))", re.IGNORECASE)
_STYLE = re.compile(r"<style\b[^<>]*>", re.IGNORECASE)
_END_OF_STYLE = re.compile(r"</style", re.IGNORECASE)
_CSS_COMMENT = re.compile(r"/\*(?:(?!\*/).)*+(?:\*/)?+", re.DOTALL)
_CSS_ESCAPE = re.compile(r"\\(?:([\da-f]{1,6})\s?|(.))", re.IGNORECASE | re.DOTALL)
# What a style sheet puts in front of an element: an icon of a font, or a sentence.
_WRITES = re.compile(
    r"""(?<![\w.#-])content(?![\w-])\s*+:?+\s*+(?!(?:""|''|none|normal|inherit)\s*[;!}])[^\s{]"""
    r"""|(?<![\w.#-])(?:list-style(?:-type)?|symbols|additive-symbols|prefix|suffix|negative)\s*+:"""
    r"""[^;}"']{0,200}["']|@import[^;]{0,100}data:""",
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
    if any(map(_writes, _sheets(text))):
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
    leads = _leading(named[1].lower(), dict(attributes))
    for key, value in attributes:
        if key in _OF_TEXT:
            if field == "refresh" and (address := refreshes_to(html.unescape(value))):
                if "?" in address or leads_to_one(address):
                    yield value
            elif value and not _OF_HEADERS.get(field, _SETTING).fullmatch(value):
                yield value
        elif key not in _LAYOUT:
            yield f"{key} {value}"
        elif (key == leads and leads_to_one(html.unescape(value))) or _WRITTEN_IN.match(value):
            yield value


def _sheets(page: str) -> Iterator[str]:
    """Yield the style sheets of a page, each to its end: what looks like a tag in one is none."""
    end = 0
    while opened := _STYLE.search(page, end):
        closed = _END_OF_STYLE.search(page, opened.end())
        end = closed.start() if closed else len(page)
        yield page[opened.end() : end]


def _leading(tag: str, attributes: Mapping[str, str]) -> str:
    """Return the attribute of a tag that leads to another page; nothing if none does."""
    drawn = tag == "link" and not _DRAWN_WITH.isdisjoint(attributes.get("rel", "").lower().split())
    return "" if drawn else _LEADS.get(tag, "")


def _writes(sheet: str) -> bool:
    """Return whether a style sheet writes anything, however it spells that."""
    plain = _CSS_COMMENT.sub(" ", sheet)
    return any(map(_WRITES.search, (plain, _CSS_ESCAPE.sub(_meant, _CSS_COMMENT.sub("", sheet)))))


def _meant(escape: re.Match[str]) -> str:
    code = int(escape[1] or "0", 16)
    return escape[2] or (chr(code) if code <= sys.maxunicode else "")
