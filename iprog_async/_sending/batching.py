"""Which messages travel together in one request; pure decisions, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from attrs import frozen

from iprog_async._core.messages import Batch, PreparedMessage
from iprog_async._core.schedules import since_epoch
from iprog_async._providers.protocols import Batching, SmsProvider


Groups = dict[object, list[PreparedMessage]]
"""Messages that may travel together, by what they have in common."""

_MOST_CARRIED = 10_000
_ENDS_TOGETHER = timedelta(minutes=1)
# What nearly every message has beside its text: the text alone is its group then.
_NO_OTHERS = (None, None, None, None)


@frozen
class Plan:
    """Batches of some messages, and those that are too few to travel."""

    batches: list[Batch]
    carried: list[PreparedMessage]


def plan_batches(
    window: Iterable[PreparedMessage], batching: Batching, *, final: bool = True
) -> Plan:
    """Group messages into requests that the gateway takes.

    Args:
        window: Prepared messages, in order.
        batching: What one request may carry.
        final: Whether a scheduled group that is too small to travel (`min_scheduled`) is a
            batch all the same; if not, it is carried.

    Returns:
        Batches of equal text, sender, schedule, options and end with distinct recipients, in
        order within a text. Every message is in exactly one batch or carried.
    """
    plan = Plan([], [])
    for group in _grouped(window, batching).values():
        plan_group(group, batching, final, plan)
    return plan


class WindowPlanner:
    """Plans a stream of messages a window at a time.

    Scheduled texts that are too few to travel wait for others of later windows. Only so many
    wait, however many such texts a stream has: beyond that, those that wait longest go as they
    are.

    Args:
        batching: What one request may carry.
        most: The most messages that wait.
    """

    def __init__(self, batching: Batching, most: int = _MOST_CARRIED) -> None:
        self._batching = batching
        self._most = most
        self._groups: Groups = {}
        self._count = 0

    @property
    def carried(self) -> list[PreparedMessage]:
        """Messages that wait for others of a later window, to travel with them."""
        return [prepared for group in self._groups.values() for prepared in group]

    @property
    def has_carried(self) -> bool:
        """Whether any message waits for others."""
        return bool(self._groups)

    def plan(self, window: Iterable[PreparedMessage], *, final: bool) -> list[Batch]:
        """Return what can travel now; when nothing follows, all of it."""
        batches: list[Batch] = []
        plan = Plan(batches, [])
        for common, group in _grouped(window, self._batching).items():
            if group[0].message.schedule_at is None:
                # As nearly always; only scheduled ones are ever carried.
                if len(group) == 1:
                    batches.append(group)
                else:
                    plan_group(group, self._batching, final, plan)
                continue
            waiting = self._groups.pop(common, [])
            plan_group([*waiting, *group], self._batching, final, plan)
            self._count += len(plan.carried) - len(waiting)
            if plan.carried:
                self._groups[common] = plan.carried
                plan = Plan(batches, [])
        while self._groups and (final or self._count > self._most):
            group = self._groups.pop(next(iter(self._groups)))
            self._count -= len(group)
            plan_group(group, self._batching, True, Plan(batches, []))
        return batches


def _grouped(window: Iterable[PreparedMessage], batching: Batching) -> Groups:
    groups: Groups = {}
    mixed = batching.mixed_texts
    for prepared in window:
        wire = prepared.wire
        common: object = None if mixed else wire.text
        # Ends that are made for each message as it is read differ by little: they travel together,
        # and if the first one is over before they leave, the others go without it.
        until = prepared.message.not_after
        end = None if until is None else since_epoch(until) // _ENDS_TOGETHER
        others = (wire.sender_id, wire.schedule_at, wire.options, end)
        if others != _NO_OTHERS:
            common = common, others
        group = groups.get(common)
        if group is None:
            groups[common] = [prepared]
        else:
            group.append(prepared)
    return groups


def plan_group(group: list[PreparedMessage], batching: Batching, final: bool, plan: Plan) -> None:
    """Add a group to a plan."""
    if len(group) == 1 and group[0].message.schedule_at is None:
        # As where everybody is told something else.
        plan.batches.append(group)
        return
    scheduled = group[0].message.schedule_at is not None
    smallest = batching.min_scheduled if scheduled else 1
    largest = batching.max_scheduled if scheduled else batching.max_batch
    for layer in _layers(group, smallest):
        if len(layer) < smallest and not final:
            plan.carried.extend(layer)
        else:
            plan.batches.extend(_chunks(layer, smallest, largest))


def fewest(batch: Batch, provider: SmsProvider) -> int:
    """Return how many messages like these a request has to have."""
    return 1 if batch[0].message.schedule_at is None else provider.batching.min_scheduled


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Split a batch that was refused because of one recipient."""
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]


def cut_off(batch: Batch, size: int, smallest: int) -> int:
    """Return how many messages to cut off the front of a batch: about `size`, or all of it.

    Neither they nor those that are left are too few to travel.
    """
    size = max(size, smallest)
    if len(batch) - size < smallest:
        # A rest that is too small makes the first part smaller, if it can be.
        size = len(batch) if size >= len(batch) else len(batch) - smallest
    return size if size >= smallest else len(batch)


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
