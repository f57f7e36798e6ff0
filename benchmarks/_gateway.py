"""The local gateway that contenders send to: a process of its own, plain or over TLS."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trustme
from attrs import frozen


@frozen
class Gateway:
    """Where texts are sent.

    Args:
        base_url: Its address.
        trust: What trusts its certificate, where it has one.
    """

    base_url: str
    trust: ssl.SSLContext | None = None


@contextmanager
def gateway(latency: float = 0.0, *, tls: bool = False, pinned: bool = True) -> Generator[Gateway]:
    """Run the local gateway as a process of its own.

    Args:
        latency: How many seconds it takes to answer.
        tls: Whether connections to it are encrypted.
        pinned: Whether it has a core that this process, and those it starts, do not use.
    """
    command = [sys.executable, "-m", "benchmarks.server", "--latency", str(latency)]
    with TemporaryDirectory() as folder:
        trust = None
        if tls:
            trust = _certify(Path(folder) / "gateway.pem")
            command += ["--tls", str(Path(folder) / "gateway.pem")]
        with subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            port = int(process.stdout.readline())
            with _pinned_apart(process.pid) if pinned else nullcontext():
                try:
                    yield Gateway(f"http{'s' if tls else ''}://127.0.0.1:{port}", trust)
                finally:
                    process.stdin.close()
                    process.wait(timeout=10)


def _certify(path: Path) -> ssl.SSLContext:
    """Write a certificate for loopback to a file, and return what trusts it."""
    # Without pyOpenSSL, which trustme takes as well, parts of its types are unknown.
    authority: Any = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return trust


# Before any of them is taken away: a second gateway has a core apart from this process, too.
_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@contextmanager
def _pinned_apart(pid: int) -> Generator[None]:
    if len(_CORES) < 2:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(pid, {_CORES[-1]})
    os.sched_setaffinity(0, {_CORES[0]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
