"""IPROG's part in the local sandbox: HTTP 200 for everything, the truth in the body.

docs/gateways/iprog-evidence.md says which of its answers are recorded and which are guesses.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from iprog_async.sandbox import SandboxGateway, SandboxState
from iprog_async_providers.iprog._sandbox.account import PHISHING_WORDS, TOKEN, Account
from iprog_async_providers.iprog._sandbox.messages import MessageDesk
from iprog_async_providers.iprog._sandbox.otp import OtpDesk
from iprog_async_providers.iprog._sandbox.reminders import ReminderDesk


__all__ = ["GATEWAY", "PHISHING_WORDS", "TOKEN"]


def _routes(state: SandboxState) -> Sequence[BaseRoute]:
    desk = Account(state)
    parts = MessageDesk(desk), ReminderDesk(desk), OtpDesk(desk)
    return [route for part in parts for route in part.routes()]


GATEWAY = SandboxGateway(
    "iprog", _routes, f"iprog://{TOKEN}@?base_url={{base_url}}", has_content_filter=True
)
