"""Faults that are switched on and off by name, for a whole gateway at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async.sandbox._simulation.faults import Fault, FaultRegistry
from iprog_async.sandbox._simulation.gateway import SandboxGateway
from iprog_async.sandbox._simulation.state import SandboxState


SLOW = 3.0
"""Seconds that a gateway takes for an answer while it is slow."""


@frozen
class Switch:
    """A switch on the page.

    Args:
        words: What it is called there.
        hint: What it does.
        fault: The fault that every request then meets, without its route; `None` where it turns
            something else.
    """

    words: str
    hint: str
    fault: Mapping[str, Any] | None = None


NO_CREDIT = "no-credit"
FILTER = "filter"

SWITCHES: Mapping[str, Switch] = {
    "slow": Switch("slow", "Each answer takes three seconds", {"kind": "delay", "delay": SLOW}),
    "503": Switch(
        "503",
        "HTTP 503 instead of an answer; no text is taken",
        {"kind": "status", "status": 503},
    ),
    "429": Switch(
        "429",
        "Too many requests, try again in 60 seconds; no text is taken",
        {"kind": "status", "status": 429, "headers": {"Retry-After": "60"}},
    ),
    "drop-before": Switch(
        "drop before",
        "The connection closes before the gateway acts",
        {"kind": "drop_before"},
    ),
    "drop-after": Switch(
        "drop after",
        "The gateway takes the text, then the connection closes without an answer",
        {"kind": "drop_after"},
    ),
    NO_CREDIT: Switch("out of credit", "The account can't pay for a text"),
    FILTER: Switch("content filter", "Every text is refused for its words"),
}
"""By name: a new one is a row here."""

# What happens to requests; of these a gateway has one at a time, as only the first would show.
_REQUESTS = {name: switch.fault for name, switch in SWITCHES.items() if switch.fault is not None}


def fault_of(name: str, prefix: str) -> Fault:
    """Return the fault behind a switch: every request to a gateway meets it."""
    return Fault(f"* /{prefix}/*", times=None, **_REQUESTS[name])


class Switches:
    """The switches of each gateway.

    Args:
        state: Where accounts and content filters are.
        faults: Where the faults are.
        gateways: The gateways; adapters of one vendor share a prefix.
    """

    def __init__(
        self, state: SandboxState, faults: FaultRegistry, gateways: Sequence[SandboxGateway]
    ) -> None:
        self._state = state
        self._faults = faults
        self._names = {
            gateway.prefix: (*_REQUESTS, NO_CREDIT, *([FILTER] * gateway.has_content_filter))
            for gateway in gateways
        }

    def names(self, prefix: str) -> tuple[str, ...]:
        """Return the switches that a gateway has."""
        return self._names[prefix]

    def on(self, prefix: str) -> list[str]:
        """Return the switches of a gateway that are on."""
        faults = self._faults.list()
        found = [name for name in _REQUESTS if fault_of(name, prefix) in faults]
        if self._state.has_run_out(prefix):
            found.append(NO_CREDIT)
        if self._state.blocks_all(prefix):
            found.append(FILTER)
        return found

    def others(self) -> list[Fault]:
        """Return the faults that have no switch."""
        own = {fault_of(name, prefix) for prefix in self._names for name in _REQUESTS}
        return [fault for fault in self._faults.list() if fault not in own]

    def turn(self, prefix: str | None, name: str, on: bool) -> None:
        """Turn a switch of one gateway, or of each that has it.

        Raises:
            ConfigurationError: The gateway, or every gateway, has no such switch.
        """
        prefixes = [prefix] if prefix is not None else list(self._names)
        having = [each for each in prefixes if name in self._names[each]]
        if not having:
            known = dict.fromkeys(known for each in prefixes for known in self._names[each])
            raise ConfigurationError(f"there is no switch {name!r}; there is {', '.join(known)}")
        for each in having:
            self._turn(each, name, on)

    def _turn(self, prefix: str, name: str, on: bool) -> None:
        if name == NO_CREDIT:
            self._state.run_out(prefix, on)
        elif name == FILTER:
            self._state.block_all(prefix, on)
        elif on:
            self._faults.remove(fault_of(other, prefix) for other in _REQUESTS)
            self._faults.add(fault_of(name, prefix))
        else:
            self._faults.remove([fault_of(name, prefix)])

    def turn_all_off(self) -> None:
        """Turn off every switch, and forget the faults that have none."""
        self._faults.clear()
        for prefix in self._names:
            self._state.run_out(prefix, False)
            self._state.block_all(prefix, False)
