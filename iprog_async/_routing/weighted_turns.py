"""Whose turn it is among several gateways: smooth weighted round robin; pure decisions."""

from __future__ import annotations

from collections.abc import Container, Mapping


class WeightedRoundRobin:
    """Spreads messages so that each name's share comes as evenly in time as its weight allows.

    Every name gains its weight with each message, and the richest pays for all: `a` with
    weight 2 and `b` with weight 1 come as `a b a`, never as `a a b`.

    Args:
        weights: Name to weight, more than zero.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = weights
        self._gained = dict.fromkeys(weights, 0.0)

    def take(self, messages: int, ready: Container[str]) -> str:
        """Return whose turn it is, and charge the messages to it.

        Args:
            messages: How many messages go there together.
            ready: The names that count; all do if none of them is in it.
        """
        names = [name for name in self._weights if name in ready] or list(self._weights)
        for name in names:
            self._gained[name] += self._weights[name] * messages
        chosen = max(names, key=lambda name: self._gained[name])
        self._gained[chosen] -= sum(self._weights[name] for name in names) * messages
        return chosen
