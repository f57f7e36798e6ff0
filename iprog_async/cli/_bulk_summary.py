"""What is said when a bulk run is over."""

from __future__ import annotations

import shlex
from typing import Any

from iprog_async._secrets import one_line
from iprog_async.cli._bulk_order import Order
from iprog_async.cli._bulk_run import Ended
from iprog_async.cli._failure import from_error
from iprog_async.cli._progress import words_of
from iprog_async.cli._wording import words_of_error


_LONGEST_LINE = 1000


def summary_data(order: Order, ended: Ended) -> dict[str, Any]:
    """Return how a run ended, as JSON-ready data."""
    counts = ended.counts
    return {
        "counts": {
            "total": ended.total,
            "accepted": counts.accepted,
            "not_sent": counts.not_sent,
            "unknown": counts.unknown,
            "resumed": counts.resumed,
            "untouched": ended.untouched,
        },
        "halted": ended.halted and from_error(ended.halted).to_dict(),
        "problem": ended.problem,
        "stopped": ended.stopped,
        "results": order.results,
        "resume": order.resume_command() if ended.unfinished and order.journal else None,
    }


def summary_words(order: Order, ended: Ended) -> tuple[list[str], str]:
    """Return how a run ended, as lines, and the one line about what went wrong."""
    counts = ended.counts
    line = f"{ended.total} rows: {words_of(counts)}"
    if ended.untouched:
        line += f", not begun {ended.untouched}"
    lines = [line]
    if counts.resumed:
        lines.append(f"Of these, {counts.resumed} were settled by an earlier run.")
    if order.results is not None:
        lines.append(f"Results: {order.results}")
    if counts.unknown:
        lines.append(_about_unknown(order))
    if ended.unfinished:
        lines += _how_to_resume(order)
    return lines, one_line(_trouble(ended), _LONGEST_LINE)


def _trouble(ended: Ended) -> str:
    if ended.halted is not None:
        return f"the run stopped itself: {words_of_error(ended.halted)}"
    if ended.problem is not None:
        return f"the run was stopped: {ended.problem}"
    return "stopped by Ctrl-C" if ended.stopped else ""


def _about_unknown(order: Order) -> str:
    if order.journal is None:
        return "Unknown: they may have been sent; look at the gateway before you repeat them."
    return (
        "Unknown: they may have been sent, and are not repeated. "
        f"iprog-async journal unknown {shlex.quote(order.journal)} lists them, journal reconcile "
        "asks the gateway, --resend-unknown sends them again."
    )


def _how_to_resume(order: Order) -> list[str]:
    if order.journal is None:
        return [
            "Without --journal another run would text everybody again, those who got it included."
        ]
    url = " (with the same --url)" if order.url is not None else ""
    return [f"Go on with{url}:", f"  {order.resume_command()}"]
