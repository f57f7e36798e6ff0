"""An application on a socket of its own, in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def serving(app: Any, *, access_log: bool = False) -> Generator[str]:
    """Serve an ASGI application on loopback, and return its address.

    Args:
        app: The application.
        access_log: Whether each request is logged.
    """
    config = uvicorn.Config(app, port=0, log_config=None, access_log=access_log)
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    # From here on nobody is refused, however long the server takes to come.
    listener.listen()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
