"""Celery with its messages and results in files: no service is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from support.waiting import LONG


_TELLS_ITS_PROCESSES = """
import os
from celery.signals import worker_process_init
from {module} import app

@worker_process_init.connect
def tell(**_):
    os.write(1, b"Worker process %d\\n" % os.getpid())
"""
# Whoever reads a message before it is written down has none, and it is lost: they come to the
# worker when all of them are there.
_ASK = """
import json, os, sys
from importlib import import_module

module = import_module(sys.argv[1])
task, options = getattr(module, sys.argv[2]), module.app.conf.broker_transport_options
queue, options["data_folder_out"] = options["data_folder_out"], "asked"
os.makedirs("asked", exist_ok=True)
results = [task.delay(*arguments) for arguments in json.loads(sys.argv[3])]
for name in sorted(os.listdir("asked")):
    os.rename(os.path.join("asked", name), os.path.join(queue, name))
print(json.dumps([result.get(interval=0.05) for result in results]))
"""


def worker(module: str, directory: Path, concurrency: int = 3) -> list[str]:
    """Return the command of a prefork worker of a module's `app`, which tells its processes."""
    source = _TELLS_ITS_PROCESSES.format(module=module)
    (directory / "worker.py").write_text(source, encoding="utf-8")
    pool = ["--pool", "prefork", "--concurrency", str(concurrency)]
    return ["celery", "-A", "worker", "worker", *pool, "--loglevel", "INFO"]


def ask(
    module: str,
    task: str,
    calls: Sequence[Sequence[object]],
    *,
    directory: Path,
    environment: Mapping[str, str],
) -> list[Any]:
    """Return the results of a module's task, called with each of the arguments."""
    (directory / "ask.py").write_text(_ASK, encoding="utf-8")
    asked = subprocess.run(  # noqa: S603 - the test's own
        [sys.executable, "ask.py", module, task, json.dumps(calls)],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert 0 == asked.returncode, asked.stderr
    results: list[Any] = json.loads(asked.stdout)
    return results
