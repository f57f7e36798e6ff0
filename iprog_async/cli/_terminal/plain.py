"""A gateway's words as a terminal may show them."""

from __future__ import annotations

import json

from iprog_async._core.redaction import one_line


_LONGEST = 2000


def plain(value: object) -> str:
    """Return a value as one line without control characters; a dash where there is none."""
    if value is None or value == "":
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return one_line(text, _LONGEST)
