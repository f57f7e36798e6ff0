"""What UGSMS's part in the sandbox knows about its one account: credentials and rate limit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import define, field


USERNAME = "sandbox-ugsms-user"
PASSWORD = "sandbox-ugsms-password"  # noqa: S105 - accepted by the sandbox alone
API_KEY = "sandbox-ugsms-key"
WINDOW = timedelta(minutes=1)


@define
class SandboxKeys:
    """The account's API keys, each with the time of its expiry, if it has one."""

    _valid: dict[str, datetime | None] = field(factory=lambda: {API_KEY: None})

    def accepts(self, key: str, now: datetime) -> bool:
        """Return whether a key works now."""
        if key not in self._valid:
            return False
        expires_at = self._valid[key]
        return expires_at is None or now < expires_at

    def add(self, key: str, expires_at: datetime | None) -> None:
        """Make a key work."""
        self._valid[key] = expires_at

    def drop(self, key: str) -> None:
        """Revoke a key; all of them if it is empty."""
        if key:
            self._valid.pop(key, None)
        else:
            self._valid.clear()


@define
class RequestCounter:
    """Counts requests as Laravel's limiter does: from the first one, for a minute."""

    limit: int
    _windows: dict[str, tuple[datetime, int]] = field(
        factory=dict[str, tuple[datetime, int]], init=False
    )

    def hit(self, who: str, now: datetime) -> tuple[int, int]:
        """Count a request; return how many are left, -1 for one too many, and seconds to go."""
        started, count = self._windows.get(who, (now, 0))
        if now - started >= WINDOW:
            started, count = now, 0
        seconds = (started + WINDOW - now).seconds + 1 if count else 60
        if count >= self.limit:
            return -1, seconds
        self._windows[who] = started, count + 1
        return self.limit - count - 1, seconds


def is_account(fields: Mapping[str, str]) -> bool:
    """Return whether fields hold the account's name and password."""
    return fields.get("username") == USERNAME and fields.get("password") == PASSWORD
