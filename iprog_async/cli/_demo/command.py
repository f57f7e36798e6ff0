"""`iprog-async demo`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from iprog_async.cli._base.exit_codes import ExitCode
from iprog_async.cli._doctor.inventory import complain_of_broken_plugins
from iprog_async.cli._errors.failure import from_error
from iprog_async.cli._errors.wording import words_of_error
from iprog_async.cli._options.shared import AsJson
from iprog_async.cli._terminal import show
from iprog_async.cli._terminal.output import Column, echo, emit, print_error, say_table


if TYPE_CHECKING:
    from iprog_async.cli._demo.scenario import Demonstration, Sent, Trouble
    from iprog_async.sandbox import InboxText, Sandbox

_DELIVERED_AFTER = 0.3
_SENT = (
    Column("Provider"),
    Column("To"),
    Column("Id", at_most=12),
    Column("Cost", number=True),
    Column("Status", wraps=True),
    Column("ms", number=True),
    Column("Inbox", number=True),
)
_TROUBLES = (
    Column("On purpose", wraps=True),
    Column("The library says"),
    Column("Inbox", number=True),
)
_INBOX = (
    Column("Gateway"),
    Column("To"),
    Column("Sender"),
    Column("Text", wraps=True),
    Column("State"),
)


async def demo(*, as_json: AsJson = False) -> ExitCode:
    """Send through every gateway of a local sandbox, and show what happened.

    No real text is sent. The exit code is 0 only if every text was accepted, reached the
    sandbox exactly once, and was delivered wherever the gateway tells.
    """
    # Imported late: the only commands that need the extra are this one and `sandbox`.
    from iprog_async.cli._demo.scenario import demonstrate
    from iprog_async.sandbox import Sandbox
    from iprog_async.sandbox._server.installed import check_extra, load_gateways

    check_extra()
    complain_of_broken_plugins()
    for problem in load_gateways()[1].values():
        print_error(f"{problem}; going on with the others")
    # A proxy of the environment is for other hosts; nothing of the demo leaves this one.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    async with Sandbox(delivered_after=_DELIVERED_AFTER) as sandbox:
        shown = await demonstrate(sandbox)
        if as_json:
            emit(_data(sandbox, shown))
        else:
            _say(sandbox, shown)
    return ExitCode.OK if shown.ok else ExitCode.UNEXPECTED


def _data(sandbox: Sandbox, shown: Demonstration) -> dict[str, Any]:
    now = sandbox.state.now()
    return {
        "ok": shown.ok,
        "texts": [_sent_data(sent) for sent in shown.texts],
        "troubles": [
            {"title": trouble.title, **_sent_data(trouble.sent), "ok": trouble.ok}
            for trouble in shown.troubles
        ],
        "inbox": [text.to_dict(now) for text in sandbox.inbox],
    }


def _sent_data(sent: Sent) -> dict[str, Any]:
    return {
        "provider": sent.provider,
        "to": sent.to,
        "text": sent.text,
        "receipt": sent.receipt and show.receipt_data(sent.receipt),
        "status": sent.status and show.status_data(sent.status),
        "error": sent.error and from_error(sent.error).to_dict(),
        "milliseconds": round(sent.seconds * 1000, 1),
        "copies_in_inbox": sent.copies,
        "ok": sent.ok,
    }


def _say(sandbox: Sandbox, shown: Demonstration) -> None:
    if shown.texts:
        _say_tables(sandbox, shown)
    echo(_verdict(shown))


def _say_tables(sandbox: Sandbox, shown: Demonstration) -> None:
    say_table(
        _SENT,
        [_sent_cells(sent) for sent in shown.texts],
        title="One text through each adapter, all at once, over one pool of connections",
    )
    echo("")
    if shown.troubles:
        say_table(
            _TROUBLES,
            [_trouble_cells(trouble) for trouble in shown.troubles],
            title=f"What can go wrong (shown with {shown.troubles[0].sent.provider})",
        )
        echo("")
    say_table(
        _INBOX,
        [_inbox_cells(sandbox, text) for text in sandbox.inbox],
        title="The sandbox's inbox: what the gateways accepted",
    )
    echo("")


def _sent_cells(sent: Sent) -> tuple[str, ...]:
    receipt = sent.receipt
    return (
        sent.provider,
        sent.to,
        (receipt and receipt.message_id) or "-",
        "-" if receipt is None or receipt.cost is None else str(receipt.cost),
        _status_cell(sent),
        _milliseconds(sent),
        str(sent.copies),
    )


def _milliseconds(sent: Sent) -> str:
    return f"{sent.seconds * 1000:.0f}"


def _status_cell(sent: Sent) -> str:
    if sent.error is not None:
        return words_of_error(sent.error)
    return show.status_words(sent.status) if sent.status else "accepted"


def _trouble_cells(trouble: Trouble) -> tuple[str, str, str]:
    error = trouble.sent.error
    if error is None:
        return trouble.title, "accepted", str(trouble.sent.copies)
    fate = "may have been sent" if error.may_have_been_sent else "not sent"
    return trouble.title, f"{type(error).__name__}: {fate}", str(trouble.sent.copies)


def _inbox_cells(sandbox: Sandbox, text: InboxText) -> tuple[str, ...]:
    state = text.state(sandbox.state.now())
    return text.gateway, text.to, text.sender_id or "-", text.text, state


def _verdict(shown: Demonstration) -> str:
    if shown.ok:
        return (
            f"All is well: {show.count_of(len(shown.texts), 'text')} accepted, each in the inbox "
            "exactly once, delivered wherever the gateway tells; no real text was sent."
        )
    wrong = [sent.provider for sent in shown.texts if not sent.ok]
    wrong += [trouble.title for trouble in shown.troubles if not trouble.ok]
    return f"NOT as promised: {', '.join(wrong) or 'no adapter has a sandbox'}"
