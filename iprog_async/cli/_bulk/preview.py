"""What a bulk run would do, shown before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import evolve, field, frozen

from iprog_async._bulk.plan import BulkPlan
from iprog_async._client.client import SmsClient
from iprog_async._core.errors import ExpiredError, SmsError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.receipts import Balance
from iprog_async._core.redaction import one_line
from iprog_async._providers.protocols import SmsProvider, SupportsBalance
from iprog_async.cli._bulk.eta import least_seconds, time_words
from iprog_async.cli._bulk.messages import CsvMessages
from iprog_async.cli._bulk.options import CommandOptions
from iprog_async.cli._bulk.plan_words import (
    character_words,
    country_words,
    gsm7_words,
    several_data,
    several_words,
)
from iprog_async.cli._bulk.price import Price
from iprog_async.cli._bulk.reasons import Reasons
from iprog_async.cli._errors.wording import words_of_error
from iprog_async.cli._terminal import show


LABEL = 13
"""How wide the labels are, with the blank behind them."""

_LONGEST_LINE = 300


@frozen(kw_only=True)
class Preview:
    """A plan and what there is to pay it with.

    Args:
        options: What the run was told to do.
        plan: The plan.
        provider: What it is sent through.
        invalid: The first lines that can't be sent, and why.
        reasons: Why lines can't be sent, of all of them.
        first: The first row that would be sent.
        new_journal: Whether there was no journal before.
        balances: What is left on each account, by its name.
        no_balance: Why that is not known.
        several: Who gets several texts, in words; empty if nobody does.
        several_rows: The same as data.
    """

    options: CommandOptions
    plan: BulkPlan
    provider: SmsProvider
    invalid: list[tuple[int, str]]
    reasons: Reasons
    first: FirstRow | None = None
    new_journal: bool = False
    balances: Mapping[str, Balance] = field(factory=dict[str, Balance])
    no_balance: str = ""
    several: str = ""
    several_rows: list[dict[str, Any]] = field(factory=list[dict[str, Any]])

    @property
    def credits(self) -> int:
        """What this run may spend."""
        return self.options.spent_of(self.plan.credits)

    @property
    def price(self) -> Price | None:
        """What a credit costs, if it was told."""
        return self.options.segment_price()

    @property
    def short_of(self) -> list[str]:
        """Names of the accounts that don't pay for everything."""
        return [
            name
            for name, left in self.balances.items()
            if (needed := self._needed(left)) is not None
            and left.amount is not None
            and left.amount < needed
        ]

    @property
    def warnings(self) -> list[str]:
        """What to think of before this is sent."""
        options, plan = self.options, self.plan
        found: list[str] = []
        if plan.recipients and options.journal is None:
            found.append(
                "no --journal: if this run ends early, nothing tells whom it has texted, and "
                "another one would text everybody again"
            )
        if plan.in_doubt:
            found.append(
                f"--resend-unknown: of these, {plan.in_doubt} may have been sent already: they "
                "may get a second text"
            )
        if self.credits < plan.credits:
            found.append(
                f"--max-credits {options.max_credits} will stop the run before its end: the run "
                f"needs {plan.credits}"
            )
        if self.several and options.key_column is None:
            found.append(f"{self.several}; --one-per-number sends each the first one")
        if self._reads_plain_digits:
            found.append(
                "no number has a plus sign, and no region is set: the first digits of each were "
                f"read as its country code ({country_words(plan)}). If they are national numbers, "
                "say so in the address (SMS_URL, --url), as in ?region=PH"
            )
        if self.short_of:
            names, needed = ", ".join(self.short_of), show.count_of(self.credits, "credit")
            found.append(f"{names}: too little for {needed}")
        return found

    @property
    def _reads_plain_digits(self) -> bool:
        """Whether all numbers are digits of which only their owner knows the country."""
        region: object = getattr(self.provider, "region", "")
        return region is None and bool(self.plan.recipients) and not self.plan.with_plus

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        rows = [{"line": line, "error": words} for line, words in self.invalid]
        by_line = {"invalid_rows": rows, "several_texts": self.several_rows}
        balances = [show.balance_data(name, found) for name, found in self.balances.items()]
        comparable = [left for left in self.balances.values() if self._needed(left) is not None]
        return {
            "file": self.options.file,
            "gateway": show.gateway_data(self.provider),
            "plan": self.plan.to_dict() | by_line,
            "invalid_reasons": self.reasons.to_list(),
            "first": self.first and self.first.to_dict(),
            "sender_id": sender_of(self.options.sender_id, self.provider),
            "journal": self.options.shown_journal,
            "new_journal": self.new_journal,
            "least_seconds": least_seconds(self._requests, self.provider),
            "currency": self.price and self.price.currency,
            "balances": balances,
            "enough_credits": not self.short_of if comparable else None,
            "warnings": self.warnings,
        }

    def words(self) -> list[str]:
        """Return it as lines."""
        plan = self.plan
        encodings = ", ".join(f"{count} in {name}" for name, count in plan.encodings.items())
        rows = [
            ("rows", f"{plan.total} in {self.options.file}{self._limit_words}"),
            ("gateway", show.gateway_words(self.provider)),
            *self._who(),
            ("to send", f"{plan.recipients}{f' ({encodings})' if encodings else ''}"),
            *self._waiting(),
            *self._people(),
            ("segments", f"{plan.segments}, a credit each"),
            *(("UCS-2", words) for words in character_words(plan)),
            *self._gsm7(),
            ("requests", self._requests_words()),
            *self._left_out(),
            *self._invalid(),
            *self._money(),
            *self._journal(),
            *(("WARNING", words) for words in self.warnings),
        ]
        return [f"{label:<{LABEL - 1}} {words}" for label, words in rows]

    def _waiting(self) -> list[tuple[str, str]]:
        plan = self.plan
        if plan.waits_until is None:
            return []
        begins = plan.waits_until.astimezone().isoformat(sep=" ", timespec="minutes")
        return [("would wait", f"{plan.waiting}, the first until {begins}; --send-between")]

    def _gsm7(self) -> list[tuple[str, str]]:
        words = gsm7_words(self.plan, self.price)
        return [("" if place else "GSM-7", words) for place, words in enumerate(words)]

    def _left_out(self) -> list[tuple[str, str]]:
        plan = self.plan
        rows = [
            ("duplicates", plan.duplicates, "sent once"),
            ("repeated", plan.repeated, "their number gets an earlier one; --one-per-number"),
            ("suppressed", plan.suppressed, "not sent"),
            ("too late", plan.expired, "could not leave by --not-after; not sent"),
            ("conflicts", plan.conflicts, "got another text before; not sent"),
            ("settled", plan.resumed - plan.unknown, "by an earlier run; not sent again"),
            ("unknown", plan.unknown, "not sent again; see journal unknown, --resend-unknown"),
        ]
        return [(label, f"{count} ({words})") for label, count, words in rows if count]

    def _people(self) -> list[tuple[str, str]]:
        plan = self.plan
        rows: list[tuple[str, str]] = []
        if self.several:
            rows.append(("numbers", f"{plan.numbers}; {self.several}"))
        if plan.countries:
            rows.append(("countries", country_words(plan)))
        if plan.landlines:
            rows.append(("landlines", f"{plan.landlines}, charged, and most can't show a text"))
        return rows

    @property
    def _limit_words(self) -> str:
        limit = self.options.limit
        return "" if limit is None else f" (no more than --limit {limit})"

    def _who(self) -> list[tuple[str, str]]:
        sender = sender_of(self.options.sender_id, self.provider)
        rows = [("from", one_line(sender))] if sender else []
        if self.options.at is not None:
            rows.append(("at", self.options.at))
        if self.options.not_after is not None:
            rows.append(("not after", f"{self.options.not_after}; after that nothing more is sent"))
        if self.options.first_to is not None:
            rows.append(("trial to", f"{self.options.first_to}, before all others"))
        return rows + ([] if self.first is None else self.first.rows())

    @property
    def _requests(self) -> int:
        """Requests that are made for certain: how many are paid for is not known exactly."""
        return self.plan.batches if self.credits == self.plan.credits else 0

    def _requests_words(self) -> str:
        time = time_words(self._requests, self.provider)
        return f"{self.plan.batches}{f', {time}' if time else ''}"

    def _journal(self) -> list[tuple[str, str]]:
        if self.options.journal is None:
            return []
        return [("journal", f"{self.options.shown_journal}{' (new)' if self.new_journal else ''}")]

    def _invalid(self) -> list[tuple[str, str]]:
        invalid = self.plan.invalid - self.plan.expired
        if not invalid:
            return []
        rows = [("invalid", f"{invalid} (not sent)")]
        return rows + [("", one_line(line, _LONGEST_LINE)) for line in self.reasons.lines(invalid)]

    def _money(self) -> list[tuple[str, str]]:
        rows = [("cost", self._cost_words(self.price))] if self.price else []
        if not self.balances:
            return [*rows, ("balance", self.no_balance)]
        names = show.members_of(self.provider)
        return [*rows, *(("balance", f"{name}: {self._left_words(name)}") for name in names)]

    def _left_words(self, name: str) -> str:
        left = self.balances.get(name)
        if left is None:
            return "not told"
        needed = self._needed(left)
        words = show.balance_words(left)
        return words if needed is None else f"{words}; this run takes {needed:f}"

    def _cost_words(self, price: Price) -> str:
        count = self.plan.credits
        words = f"{price.words(count)} ({count} at {price.words(1)})"
        if self.credits < count:
            words += f"; up to --max-credits {price.words(self.credits)}"
        return words

    def _needed(self, left: Balance) -> Decimal | None:
        """Return what this run takes, in the unit of a balance; `None` where that is not known."""
        if left.amount is None:
            return None
        if left.unit == "credits":
            return Decimal(self.credits)
        price = self.price
        if price is not None and price.currency and price.currency == left.unit.upper():
            return price.of(self.credits)
        return None


async def preview(
    client: SmsClient[Any],
    options: CommandOptions,
    plan: BulkPlan,
    messages: CsvMessages,
    *,
    reasons: Reasons | None = None,
    new_journal: bool = False,
) -> Preview:
    """Ask for the balance, where the gateway tells it, and put it beside the plan.

    Args:
        client: What is sent through.
        options: What the run was told to do.
        plan: The plan.
        messages: The messages that were planned.
        reasons: Why rows can't be sent; those that the plan keeps, if `None`.
        new_journal: Whether there was no journal before.
    """
    invalid = [
        (messages.line_of(row.index), one_line(messages.words_of(row.error), _LONGEST_LINE))
        for row in plan.invalid_rows
    ]
    provider, first = client.provider, plan.first
    shown = Preview(
        options=options,
        plan=plan,
        provider=provider,
        invalid=invalid,
        reasons=_kept(plan, messages) if reasons is None else reasons,
        first=None if first is None else FirstRow(messages.line_of(first.index), first),
        new_journal=new_journal,
        several=several_words(plan, messages),
        several_rows=several_data(plan, messages),
    )
    if not isinstance(provider, SupportsBalance):
        return evolve(shown, no_balance=f"{provider.name} does not tell it")
    try:
        found = await client.balance()
    except SmsError as exc:
        words = one_line(f"not known: {words_of_error(exc)}", _LONGEST_LINE)
        return evolve(shown, no_balance=words)
    return evolve(shown, balances=show.balances_of(provider.name, found))


def _kept(plan: BulkPlan, messages: CsvMessages) -> Reasons:
    reasons = Reasons()
    for row in plan.invalid_rows:
        if isinstance(row.error, ExpiredError):
            continue
        words = messages.words_of(row.error)
        reasons.add(messages.line_of(row.index), row.message.to, row.error, words)
    return reasons


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
