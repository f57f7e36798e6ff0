"""What is said when a bulk run is over."""

from __future__ import annotations

import shlex
import signal
from typing import Any

from iprog_async._bulk.spending import PriceDifference
from iprog_async._core.errors import OutcomeUnknownError, SmsError
from iprog_async._core.redaction import one_line
from iprog_async.cli._bulk.options import CommandOptions
from iprog_async.cli._bulk.reasons import Reasons
from iprog_async.cli._bulk.run import RunResult
from iprog_async.cli._errors.failure import from_error
from iprog_async.cli._errors.wording import words_of_error
from iprog_async.cli._terminal.show import accepted_words, count_of


_LONGEST_LINE = 1000


def summary_data(options: CommandOptions, ended: RunResult) -> dict[str, Any]:
    """Return how a run ended, as JSON-ready data."""
    counts = ended.counts
    return {
        "counts": {
            "total": ended.total,
            "accepted": counts.accepted,
            "failed": counts.failed,
            "not_sent": counts.not_sent,
            "unknown": counts.unknown,
            "resumed": counts.resumed,
            "untouched": ended.untouched,
        },
        "reasons": {
            "failed": ended.failed.to_list(),
            "not_sent": ended.not_sent.to_list(),
            "unknown": [*ended.unknown.to_list(), *ended.unasked.to_list()],
        },
        "credits": str(ended.credits),
        "price_difference": _difference_data(ended.price_difference),
        "halted": ended.halted and from_error(ended.halted).to_dict(),
        "problem": ended.problem,
        "stopped": ended.stopped_by is not None,
        "results": options.results,
        "resume": next_command(options, ended),
    }


def summary_words(options: CommandOptions, ended: RunResult) -> tuple[list[str], str]:
    """Return how a run ended, as lines, and the one line about what went wrong.

    What follows the last line is the command that goes on, if there is one.
    """
    counts = ended.counts
    line = (
        f"{count_of(ended.total, 'row')}: accepted {accepted_words(counts.accepted, counts.failed)}"
        f", not sent {counts.not_sent}, unknown {counts.unknown}"
    )
    if ended.untouched:
        line += f", not begun {ended.untouched}"
    lines = [
        line,
        *_about_failed(ended),
        *_about_not_sent(ended),
        *_about_unknown(options, ended),
        *_about_unasked(ended),
    ]
    if counts.resumed:
        lines.append(f"Of these, {counts.resumed} are of an earlier run and were not sent again.")
    if ended.price_difference is not None:
        lines.append(
            f"The price is not the planned one: {ended.price_difference}; "
            f"{ended.credits:f} credits in all."
        )
    if options.results is not None:
        lines.append(f"Results: {options.results}")
    if ended.unfinished:
        lines.append(_how_to_resume(options))
    return lines, one_line(_trouble(ended), _LONGEST_LINE)


def next_command(options: CommandOptions, ended: RunResult) -> str | None:
    """Return the command that goes on with a run; `None` where there is nothing to go on with."""
    return options.resume_command() if ended.unfinished and options.journal is not None else None


def _difference_data(difference: PriceDifference | None) -> dict[str, Any] | None:
    if difference is None:
        return None
    return {
        "provider": difference.provider,
        "segments": difference.segments,
        "credits": str(difference.credits),
    }


def _about_failed(ended: RunResult) -> list[str]:
    why = _why(ended.failed)
    if not why:
        return []
    what = "they were accepted, and most likely paid for; another run does not send them again"
    return [f"Failed at the gateway: {what}:", *why]


def _about_not_sent(ended: RunResult) -> list[str]:
    why = _why(ended.not_sent)
    return ["Not sent:", *why] if why else []


def _why(reasons: Reasons) -> list[str]:
    return [f"  {line}" for line in reasons.lines()]


def _trouble(ended: RunResult) -> str:
    if ended.halted is not None:
        return f"the run stopped itself: {_halted_words(ended.halted, ended.counts.unknown)}"
    if ended.problem is not None:
        return f"the run was stopped: {ended.problem}"
    if ended.stopped_by is None:
        return ""
    return f"stopped by {'SIGTERM' if ended.stopped_by == signal.SIGTERM else 'Ctrl-C'}"


def _halted_words(cause: SmsError, unknown: int) -> str:
    words = words_of_error(cause)
    if not isinstance(cause, OutcomeUnknownError):
        return words
    texts = count_of(unknown, "text")
    return f"no trustworthy answer came, and {texts} may have been sent. The last one: {words}"


def _about_unknown(options: CommandOptions, ended: RunResult) -> list[str]:
    if ended.counts.unknown <= ended.unasked.count:
        return []
    why = _why(ended.unknown)
    if options.shown_journal is None:
        what = "they may have been sent; look at the gateway before you repeat them"
        return [f"Unknown: {what}{':' if why else '.'}", *why]
    journal = shlex.quote(options.shown_journal)
    if options.campaign and options.has_address:
        journal += f" --campaign={shlex.quote(options.campaign)}"
    ways = [f"iprog-async journal unknown {journal} lists them"]
    if ended.lists:
        ways.append(f"iprog-async journal reconcile {journal} asks the gateway")
    ways.append("--resend-unknown sends them again, and who got one gets a second")
    what = "they may have been sent, and are not repeated"
    return [f"Unknown: {what}{':' if why else '.'}", *why, f"  {'; '.join(ways)}."]


def _how_to_resume(options: CommandOptions) -> str:
    if options.journal is None:
        return (
            "Without --journal another run would text everybody again, those who got it included."
        )
    return f"Go on with{' (with the same --url)' if options.url is not None else ''}:"


def _about_unasked(ended: RunResult) -> list[str]:
    why = _why(ended.unasked)
    if not why:
        return []
    what = "the journal could not be asked whether they were sent before, and this run sent none"
    return [f"Unknown: {what}. The same command repeats nothing, and sends the rest:", *why]
