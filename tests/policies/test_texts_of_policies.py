"""Policies that send texts of their own, such as an alert: no part of what they are asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import define
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import ACCEPTED, PostingProvider, posting, sent_to, states_in

from iprog_async import (
    Allow,
    Decision,
    Journal,
    Outcome,
    Outgoing,
    PolicyRefusedError,
    Refuse,
    SmsClient,
)


ADMIN = "+639170000099"


@define(eq=False)
class Alerting:
    """Sends a text once, as another leaves, and from then on refuses.

    Args:
        alerts: What sends it.
        asked: How often it was asked.
    """

    alerts: SmsClient[Any]
    asked: int = 0
    holds_for: float = 0

    async def decide(self, _: Outgoing) -> Decision:
        """Decide."""
        self.asked += 1
        if self.asked == 2:
            await self.alerts.send(ADMIN, "A number said STOP")
        return Allow() if self.asked == 1 else Refuse("STOP")


async def test_an_alert_as_a_text_leaves_has_no_part_in_its_claim(tmp_path: Path) -> None:
    """The journal knows that the text was refused then, and the next one with its key goes."""
    wire, alerts = Wire(ACCEPTED), Wire(ACCEPTED)
    async with posting(alerts) as alerting:
        with Journal.open(tmp_path / "j.db") as journal:
            async with posting(wire, journal, policies=[Alerting(alerting)]) as client:
                with pytest.raises(PolicyRefusedError):
                    await client.send(NUMBER, "Hi", key="1")
            async with posting(wire, journal) as client:
                assert ([ADMIN], []) == (sent_to(alerts), sent_to(wire))
                assert ["released"] == states_in(tmp_path / "j.db")
                await client.send(NUMBER, "Hi", key="1")

    assert [NUMBER] == sent_to(wire)


async def test_an_alert_leaves_though_the_run_is_stopped() -> None:
    """What the policy sends is not withdrawn with the rows of the run."""
    wire, alerts = Wire(ACCEPTED), Wire(ACCEPTED)

    @define(eq=False)
    class Telling:
        """Tells of the first text that was sent, and stops the run."""

        def decide(self, _: Outgoing) -> Decision:
            """Decide."""
            return Allow()

        async def settle(self, _: Outgoing, outcome: Outcome) -> None:
            """Tell of it."""
            run.stop()
            if outcome.state == "accepted":
                await alerting.send(ADMIN, "It has begun")

    async with posting(alerts) as alerting:
        client = SmsClient(PostingProvider(), pool=wire.pool, policies=[Telling()])
        async with client, client.send_many(to_many(5), concurrency=1) as run:
            await run.drain()

    assert ([ADMIN], 1) == (sent_to(alerts), len(sent_to(wire)))
