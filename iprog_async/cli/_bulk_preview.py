"""What a bulk run would do, shown before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import frozen

from iprog_async._client import SmsClient
from iprog_async._errors import SmsError
from iprog_async._plan import BulkPlan
from iprog_async._providers import SupportsBalance
from iprog_async._receipts import Balance
from iprog_async._secrets import one_line
from iprog_async.cli import _show
from iprog_async.cli._letters import Letters


_SHOWN_ROWS = 5
_LONGEST_LINE = 300


@frozen
class Preview:
    """A plan and what there is to pay it with.

    Args:
        file: Name of the file.
        plan: The plan.
        invalid: Lines that can't be sent, and why.
        balances: What is left on each account, by its name.
        no_balance: Why that is not known.
    """

    file: str
    plan: BulkPlan
    invalid: list[tuple[int, str]]
    balances: Mapping[str, Balance]
    no_balance: str = ""

    @property
    def short_of(self) -> list[str]:
        """Names of the accounts whose credits don't pay for everything."""
        return [
            name
            for name, balance in self.balances.items()
            if balance.unit == "credits"
            and balance.amount is not None
            and balance.amount < Decimal(self.plan.credits)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        rows = [{"line": line, "error": words} for line, words in self.invalid]
        balances = [_show.balance_data(name, found) for name, found in self.balances.items()]
        plan = self.plan.to_dict() | {"invalid_rows": rows}
        return {
            "file": self.file,
            "plan": plan,
            "balances": balances,
            "enough_credits": None if not self.balances else not self.short_of,
        }

    def words(self) -> list[str]:
        """Return it as lines."""
        plan = self.plan
        encodings = ", ".join(f"{count} in {name}" for name, count in plan.encodings.items())
        rows = [
            ("rows", f"{plan.total} in {self.file}"),
            ("to send", f"{plan.recipients}{f' ({encodings})' if encodings else ''}"),
            ("segments", f"{plan.segments}, a credit each"),
            ("requests", str(plan.batches)),
            *self._left_out(),
            *self._invalid(),
            *self._money(),
        ]
        return [f"{label:<12} {words}" for label, words in rows]

    def _left_out(self) -> list[tuple[str, str]]:
        plan = self.plan
        rows = [
            ("duplicates", plan.duplicates, "sent once"),
            ("suppressed", plan.suppressed, "not sent"),
            ("conflicts", plan.conflicts, "got another text before; not sent"),
            ("settled", plan.resumed, "by an earlier run; not sent again"),
        ]
        return [(label, f"{count} ({words})") for label, count, words in rows if count]

    def _invalid(self) -> list[tuple[str, str]]:
        if not self.plan.invalid:
            return []
        shown = self.invalid[:_SHOWN_ROWS]
        rows = [("invalid", f"{self.plan.invalid} (not sent)")]
        rows += [("", one_line(f"line {line}: {words}", _LONGEST_LINE)) for line, words in shown]
        more = self.plan.invalid - len(shown)
        return [*rows, ("", f"and {more} more")] if more else rows

    def _money(self) -> list[tuple[str, str]]:
        rows = [
            ("balance", f"{name}: {_show.balance_words(found)}")
            for name, found in self.balances.items()
        ]
        if self.short_of:
            words = f"{', '.join(self.short_of)}: too little for {self.plan.credits} credits"
            rows.append(("WARNING", words))
        return rows or [("balance", self.no_balance)]


async def preview(client: SmsClient[Any], file: str, plan: BulkPlan, letters: Letters) -> Preview:
    """Ask for the balance, where the gateway tells it, and put it beside the plan."""
    invalid = [
        (letters.line_of(row.index), one_line(letters.words_of(row.error), _LONGEST_LINE))
        for row in plan.invalid_rows
    ]
    if not isinstance(client.provider, SupportsBalance):
        return Preview(file, plan, invalid, {}, f"{client.provider.name} does not tell it")
    try:
        found = await client.balance()
    except SmsError as exc:
        return Preview(file, plan, invalid, {}, one_line(f"not known: {exc}", _LONGEST_LINE))
    return Preview(file, plan, invalid, _show.balances_of(client.provider.name, found))
