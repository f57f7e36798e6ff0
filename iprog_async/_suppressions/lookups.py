"""Looking numbers up in a list that takes its time: those of many tasks travel together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from iprog_async._core.errors import SmsError


Among = Callable[[Sequence[str]], set[str]]
"""Returns those of some numbers that are on a list now; may wait."""

_Asked = tuple[Sequence[str], asyncio.Future[set[str]]]


class Lookups:
    """Asks in a thread, once at a time for each event loop; who comes meanwhile is in the next one.

    A question is asked after it was put, so that what was on the list by then is found.

    Args:
        among: What is asked.
    """

    def __init__(self, among: Among) -> None:
        self._among = among
        self._of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _OneLoop] = WeakKeyDictionary()

    async def among(self, numbers: Sequence[str]) -> set[str]:
        """Return those of some numbers that are on the list now.

        Raises:
            SmsError: It can't be asked.
        """
        loop = asyncio.get_running_loop()
        asker = self._of_loops.get(loop)
        if asker is None:
            asker = self._of_loops.setdefault(loop, _OneLoop(self._among))
        return await asker.ask(numbers)


class _OneLoop:
    """The questions of one event loop."""

    def __init__(self, among: Among) -> None:
        self._among = among
        self._waiting: list[_Asked] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, numbers: Sequence[str]) -> set[str]:
        answer: asyncio.Future[set[str]] = asyncio.get_running_loop().create_future()
        self._waiting.append((numbers, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, []
            try:
                await self._answer(asked)
            finally:
                for _, answer in asked:
                    # Whoever waits for what is not answered would wait for ever.
                    answer.cancel()

    async def _answer(
        self, asked: Sequence[tuple[Sequence[str], asyncio.Future[set[str]]]]
    ) -> None:
        numbers = list({number: None for some, _ in asked for number in some})
        try:
            found = await asyncio.to_thread(self._among, numbers)
        except SmsError as exc:
            for _, answer in asked:
                if not answer.done():
                    # One each: an error has the frames of whoever raised it.
                    answer.set_exception(type(exc)(*exc.args))
            return
        for some, answer in asked:
            if not answer.done():
                answer.set_result(found.intersection(some))
