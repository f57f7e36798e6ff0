"""How far a campaign has come, for callers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


State = Literal["running", "finished", "stopped", "halted"]


class Row(BaseModel):
    """A message that was not accepted; `row` counts from 0."""

    row: int
    text: Literal["not sent", "unknown"]
    why: str


class Progress(BaseModel):
    """How far a campaign has come.

    One that is `halted` stopped by itself, and `why` says what for. `resumed` is how many
    messages an earlier run had settled; `rows` are the first that were not accepted.
    """

    name: str
    state: State
    total: int
    accepted: int
    not_sent: int
    unknown: int
    resumed: int
    why: str | None
    rows: list[Row]
