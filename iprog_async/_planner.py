"""Which messages travel together in one request; pure decisions, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from iprog_async._messages import Message, PreparedMessage
from iprog_async._providers import Batching


Batch = Sequence[PreparedMessage]


@frozen
class Plan:
    """Batches of one look-ahead window, and messages that wait for company in the next."""

    batches: list[Batch]
    carried: list[PreparedMessage]


def plan_batches(
    window: Iterable[PreparedMessage], batching: Batching, *, final: bool = True
) -> Plan:
    """Group messages into requests that the gateway takes.

    Args:
        window: Prepared messages, in order.
        batching: What one request may carry.
        final: Whether nothing follows; if not, a scheduled group that is too small to travel
            (`min_scheduled`) is carried over to the next window.

    Returns:
        Batches of equal text, sender, schedule and options with distinct recipients, in
        order within a text. Every message is in exactly one batch or carried.
    """
    groups: dict[object, list[PreparedMessage]] = {}
    for prepared in window:
        groups.setdefault(_travels_as(prepared.message, batching), []).append(prepared)
    plan = Plan([], [])
    for group in groups.values():
        scheduled = group[0].message.schedule_at is not None
        smallest = batching.min_scheduled if scheduled else 1
        largest = batching.max_scheduled if scheduled else batching.max_batch
        for layer in _layers(group, smallest):
            if len(layer) < smallest and not final:
                plan.carried.extend(layer)
            else:
                plan.batches.extend(_chunks(layer, smallest, largest))
    return plan


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Split a batch that was refused because of one recipient."""
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]


def _travels_as(message: Message, batching: Batching) -> object:
    text = None if batching.mixed_texts else message.text
    return text, message.sender_id, message.schedule_at, message.options


def _layers(group: list[PreparedMessage], smallest: int) -> Iterable[list[PreparedMessage]]:
    """Spread repeated recipients over layers: the second text to a number is in the second."""
    layers: list[list[PreparedMessage]] = []
    times: dict[str, int] = {}
    for prepared in group:
        depth = times.get(prepared.e164, 0)
        times[prepared.e164] = depth + 1
        if depth == len(layers):
            layers.append([])
        layers[depth].append(prepared)
    lenders = [prepared for prepared in group if times[prepared.e164] == 1]
    for layer in layers[1:]:
        # A layer that is too small to travel takes along who would go in any request.
        while lenders and len(layer) < smallest < len(layers[0]):
            layer.append(lenders.pop())
            layers[0].remove(layer[-1])
        layer.sort(key=lambda prepared: prepared.index)
    return layers


def _chunks(layer: list[PreparedMessage], smallest: int, largest: int) -> Iterable[Batch]:
    start, left = 0, len(layer)
    while left:
        size = min(left, largest)
        rest = left - size
        if rest and rest // _requests(rest, largest) < smallest:
            # 101 is 51 + 50: the rest would be too small to travel alone.
            size = -(-left // _requests(left, largest))
        yield layer[start : start + size]
        start, left = start + size, left - size


def _requests(count: int, largest: int) -> int:
    return -(-count // largest)
