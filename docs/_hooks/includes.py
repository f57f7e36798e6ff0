"""Takes into a page what is written elsewhere in the project, so that it is written once.

| a line of a page | becomes |
|---|---|
| `<!-- include: CHANGELOG.md -->` | the file without its first heading |
| `<!-- include: README.md demo -->` | what stands there between `<!-- demo -->` and |
| | `<!-- /demo -->`, or the code block after a single mark |
| `<!-- include: iprog_async/_core/errors.py -->` | the first code block of a module's docstring |
| `<!-- include: examples/fan_out.py source -->` | the whole module, as code |
| `<!-- include: docs/images/outcomes.svg -->` | the drawing, which then takes the page's colours |
"""

from __future__ import annotations

import re
from pathlib import Path


ROOT = Path(__file__).parents[2]

_INCLUDE = re.compile(r"^<!-- include: (\S+)(?: (\S+))? -->$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)([^)]+)\)")
_PAGES = {
    "shop/README.md": "shop.md",
    "web": "web-apps.md",
    "../../docs/inbound.md": "inbound.md",
    "starlette_app.py": "#a-starlette-app",
    "fan_out.py": "#a-script-over-a-csv-file",
    "failover.py": "#two-gateways",
    "acme-sms": "adding-a-provider.md",
    "outbox": "outbox.md#a-program-for-each-kind-of-connection",
}
"""Where the site has what the examples' own page links to."""
_GATEWAY = re.compile(r"docs/gateways/([\w-]+)\.md")


def expand(markdown: str) -> str:
    """Return a page's source with everything included."""
    return _INCLUDE.sub(lambda found: _content(found[1], found[2]), markdown)


def _content(path: str, block: str | None) -> str:
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".svg"):
        # A blank line would end the HTML that it stands in.
        return "\n".join(line for line in text.splitlines() if line.strip())
    if block == "source":
        return f"```python\n{text.strip()}\n```"
    if path.endswith(".py"):
        return _search(r"```\n.*?\n```", text)
    text = _without_title(text) if block is None else _block(text, block)
    return _LINK.sub(_on_the_site, text).strip()


def _on_the_site(link: re.Match[str]) -> str:
    """Return a link to where the site has a file, or its words: it has no folder's listing."""
    page = _PAGES.get(link[2])
    return link[1] if page is None else f"[{link[1]}]({page})"


def _without_title(text: str) -> str:
    return text.partition("\n")[2] if text.startswith("# ") else text


def _block(text: str, name: str) -> str:
    """Return what a pair of marks encloses, or the code block that follows a single mark."""
    if f"<!-- /{name} -->" in text:
        return _search(rf"(?<=<!-- {name} -->\n).*?(?=\n<!-- /{name} -->)", text)
    return _search(rf"(?<=<!-- {name} -->\n)```.*?\n```", text)


def _search(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.DOTALL)
    if found is None:
        raise ValueError(f"nothing to include: {pattern}")
    return found[0]


def on_page_markdown(markdown: str, **_: object) -> str:
    """Include."""
    return expand(markdown)


def on_page_content(html: str, **_: object) -> str:
    """Let the reference lead to the gateways' pages, which docstrings name by their files."""
    return _GATEWAY.sub(r'<a href="../gateways/\1.html">more about it</a>', html)
