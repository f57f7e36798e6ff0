"""Says whether a worker is healthy: over HTTP, or by the time of a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from iprog_async._core.errors import ConfigurationError, InvalidMessageError


_SECONDS_BETWEEN_SIGNS = 1.0
_SECONDS_TO_ASK = 5.0
_ANSWER = "HTTP/1.1 {} \r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}"

IsHealthy = Callable[[], bool]


@asynccontextmanager
async def health(place: str | None, is_healthy: IsHealthy) -> AsyncGenerator[None]:
    """Tell whoever asks whether a worker is healthy, for as long as a block takes.

    Args:
        place: A port, or a file that is touched every second while it is; nowhere if `None`.
        is_healthy: Tells it.

    Raises:
        InvalidMessageError: The file can't be written.
        ConfigurationError: The port is taken.
    """
    if place is None:
        yield
    elif place.isdecimal():
        server = await _listen(int(place), is_healthy)
        async with server:
            yield
    else:
        touching = await _touch(Path(place), is_healthy)
        try:
            yield
        finally:
            touching.cancel()
            await asyncio.gather(touching, return_exceptions=True)


async def _listen(port: int, is_healthy: IsHealthy) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_SECONDS_TO_ASK):
                await reader.readuntil(b"\r\n\r\n")
            status, words = ("200 OK", "ok\n") if is_healthy() else ("503 Unavailable", "waiting\n")
            writer.write(_ANSWER.format(status, len(words), words).encode())
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # Whoever asked has gone, or asked for something else; a timeout is an OSError, too.
            pass
        finally:
            writer.close()

    try:
        # A container is asked from outside of it.
        return await asyncio.start_server(answer, None, port)
    except (OSError, OverflowError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
        raise ConfigurationError(f"--health {port}: can't listen there: {why}") from None


async def _touch(path: Path, is_healthy: IsHealthy) -> asyncio.Task[None]:
    def touch() -> None:
        if is_healthy():
            path.touch()

    async def again_and_again() -> None:
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_SIGNS)
            await asyncio.to_thread(touch)

    try:
        await asyncio.to_thread(path.touch)
    except OSError as exc:
        raise InvalidMessageError(
            f"--health {str(path)!r} can't be written: {exc.strerror}"
        ) from None
    return asyncio.create_task(again_and_again())
