"""Does the imports, and forks for each program that a caller asks for: `interpreter.py SOCKET`."""

from __future__ import annotations

import gc
import importlib
import marshal
import os
import pkgutil
import runpy
import signal
import socket
import sys
from pathlib import Path
from types import ModuleType

import iprog_async
import iprog_async_providers


def _import_all() -> None:
    """Import each module of the library."""
    for package in (iprog_async, iprog_async_providers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(".__main__"):
                importlib.import_module(module.name)


def _serve(path: str) -> list[str]:
    """Return, in a process of its own, the arguments of a program; nothing else returns."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a keeper
        while True:
            caller, _ = door.accept()
            if os.fork() == 0:
                break
            caller.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return _keep(caller)


def _keep(caller: socket.socket) -> list[str]:
    """Fork, return what was asked for in the child, and tell the caller how that ends."""
    with caller:
        size, streams, _, _ = socket.recv_fds(caller, 4, 3)
        with caller.makefile("rb") as said:
            folder, arguments, variables = marshal.loads(said.read(int.from_bytes(size, "big")))  # noqa: S302 - ours
        program = os.fork()
        if program != 0:
            for stream in streams:
                os.close(stream)
            caller.sendall(b"%d\n" % program)
            _, status = os.waitpid(program, 0)
            caller.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
            os._exit(0)
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    # Those of the start remember what they were connected to.
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    return list(arguments)


def _run(arguments: list[str]) -> None:
    """Do what `python` does with these arguments: a module with `-m`, or a file."""
    option, *rest = arguments
    if option == "-m":
        sys.argv, sys.path[0] = rest, ""
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        return
    assert not option.startswith("-"), f"the prepared interpreter knows no {option}"
    sys.argv, sys.path[0] = arguments, str(Path(option).resolve().parent)
    main = ModuleType("__main__")
    main.__file__ = option
    sys.modules["__main__"] = main
    exec(compile(Path(option).read_bytes(), option, "exec"), main.__dict__)  # noqa: S102 - a test's program


if __name__ == "__main__":
    _import_all()
    gc.collect()
    gc.freeze()
    _run(_serve(sys.argv[1]))
