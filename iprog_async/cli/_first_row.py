"""The first text of a run, as it would go out: a wrong column shows, even one that is there."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from iprog_async._core.messages import PreparedMessage
from iprog_async._core.redaction import one_line
from iprog_async._providers.protocols import SmsProvider


_LONGEST = 1000


@frozen
class FirstRow:
    """The first row that would be sent.

    Args:
        line: Its line in the file.
        prepared: Its message.
    """

    line: int
    prepared: PreparedMessage

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        text = self.prepared.message.text
        return {"line": self.line, "number": self.prepared.e164, "text": text}

    def rows(self) -> list[tuple[str, str]]:
        """Return it as labels and words."""
        text = self.prepared.message.text.replace("\n", " ⏎ ")
        number = f"{self.prepared.e164} (line {self.line})"
        return [("first to", number), ("first text", one_line(text, _LONGEST))]


def sender_of(sender_id: str | None, provider: SmsProvider) -> str | None:
    """Return what the phones show as sender: as it was given, else as the account has it."""
    own: object = getattr(provider, "sender_id", None)
    return (sender_id or "").strip() or (own if isinstance(own, str) else None)
