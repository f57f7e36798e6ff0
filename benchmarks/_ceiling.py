"""What the server can do by itself: pipelined requests that cost the client next to nothing."""

from __future__ import annotations

import asyncio
import time

from benchmarks._gateway import Gateway
from benchmarks._measure import Figure


_BODY = b'{"api_token":"t","phone_number":"639170000000","message":"Hello"}'
_REQUEST = (
    b"POST /api/v1/sms_messages HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


async def server_ceiling(gateway: Gateway, messages: int, connections: int) -> Figure:
    """Return the rate at which the server answers when the client only counts."""
    host, _, port = gateway.base_url.partition("://")[2].partition(":")
    share = max(messages // connections, 10)

    async def drive() -> None:
        reader, writer = await asyncio.open_connection(host, int(port), ssl=gateway.trust)
        try:
            for _ in range(share // 10):
                writer.write(_REQUEST * 10)
                answered = 0
                while answered < 10:
                    answered += (await reader.read(65536)).count(b"HTTP/1.1 200")
        finally:
            writer.close()
            await writer.wait_closed()

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(drive() for _ in range(connections)))
    sent = share // 10 * 10 * connections
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Figure(cpu / sent * 1e6, sent / wall)
