from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.sync import run_program
from support.waiting import LONG


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
]

# A process of two threads that forks is what this is about: later Pythons warn of any such.
_BEGIN = """
import os, sys, threading, warnings

warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)

from iprog_async import ClientClosedError, Message
from iprog_async.sandbox import Sandbox
from iprog_async.sync import SmsClient

NUMBER = "+639171234567"


def forked(work):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            if status:
                sys.excepthook(*sys.exc_info())
            sys.stdout.flush()
            os._exit(status)
    return child


def join(*children):
    assert [0] * len(children) == [os.waitpid(child, 0)[1] for child in children]
"""


def test_both_go_on_after_a_fork(tmp_path: Path) -> None:
    """A client that was used before the fork sends in the child, its child, and the parent."""
    program = """
with Sandbox() as sandbox, SmsClient.from_url(sandbox.address("iprog")) as sms:
    sms.send(NUMBER, "before")
    def child():
        sms.send(NUMBER, "child")
        join(forked(lambda: sms.send(NUMBER, "grandchild")))
        with sms.send_many([Message(NUMBER, "many")]) as run:
            run.drain()
        sms.close()
    join(forked(child), forked(child))
    sms.send(NUMBER, "after")
    with sms.send_many([Message(NUMBER, "many")]) as run:
        run.drain()
    print(sorted(text.text for text in sandbox.inbox))
"""
    texts = ["after", "before", *["child"] * 2, *["grandchild"] * 2, *["many"] * 3]
    assert f"{texts}\n" == run_program(_BEGIN + program, tmp_path)


def test_fork_in_the_midst_of_texts_stops_nobody(tmp_path: Path) -> None:
    """While four threads send, twenty children are forked off, and each of them sends."""
    program = """
with Sandbox() as sandbox, SmsClient.from_url(sandbox.address("iprog")) as sms:
    sandbox.set_credit("iprog", 100_000)
    stop = threading.Event()
    sent = []
    def keep_sending():
        while not stop.is_set():
            sent.append(sms.send(NUMBER, "parent").ref)
    threads = [threading.Thread(target=keep_sending) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        join(forked(lambda: sms.send(NUMBER, "child")))
    stop.set()
    for thread in threads:
        thread.join()
    texts = [text.text for text in sandbox.inbox]
    print(texts.count("child"), texts.count("parent") == len(sent) > 0)
"""
    assert "20 True\n" == run_program(_BEGIN + program, tmp_path)


def test_run_stays_in_the_process_that_began_it(tmp_path: Path) -> None:
    """A child that is forked off within a run leaves it alone, and can make one of its own."""
    program = """
with Sandbox() as sandbox, SmsClient.from_url(sandbox.address("iprog")) as sms:
    def child():
        try:
            next(run)
        except ClientClosedError as error:
            print("forked off" in str(error))
        run.close()
    def messages():
        for number in range(20):
            if number == 10:
                join(forked(child))
            yield Message(f"+639171234{number:03}", "Hi")
    with sms.send_many(messages()) as run:
        print(run.drain().accepted)
"""
    assert "True\n20\n" == run_program(_BEGIN + program, tmp_path)


def test_closed_before_the_fork_is_closed_after(tmp_path: Path) -> None:
    """Closing holds in the child; what the parent closes later does not."""
    program = """
with Sandbox() as sandbox:
    closed, open_ = (SmsClient.from_url(sandbox.address("iprog")) for _ in range(2))
    for sms in (closed, open_):
        sms.send(NUMBER, "before")
    closed.close()
    read, write = os.pipe()
    def child():
        try:
            closed.send(NUMBER, "no")
        except ClientClosedError:
            pass
        os.read(read, 1)
        open_.send(NUMBER, "child")
    pid = forked(child)
    open_.close()
    os.write(write, b"x")
    join(pid)
    print([text.text for text in sandbox.inbox].count("child"))
"""
    assert "1\n" == run_program(_BEGIN + program, tmp_path)


@pytest.mark.parametrize("journal", ["'texts.db'", "Journal.open('texts.db', campaign='orders')"])
def test_key_is_one_text_in_all_processes(journal: str, tmp_path: Path) -> None:
    """A journal that was opened before the fork is opened anew in each child; so is a path."""
    program = f"""
from iprog_async import Journal

with Sandbox() as sandbox:
    journal = {journal}
    with SmsClient.from_url(sandbox.address("iprog"), journal=journal) as sms:
        sms.send(NUMBER, "Hi", key="before")
        def child():
            for key in ("before", "after"):
                # Three write at once: each line as a whole.
                sys.stdout.write(f"{{sms.send(NUMBER, 'Hi', key=key).ref}}\\n")
            sms.close()
        join(*[forked(child) for _ in range(3)])
        child()
    if isinstance(journal, Journal):
        journal.close()
    print(len(sandbox.inbox))
"""
    *refs, texts = run_program(_BEGIN + program, tmp_path).split()
    assert (8, 2, "2") == (len(refs), len(set(refs)), texts)


_JOURNAL = f"""
import fcntl, time
from iprog_async import JournalError
from iprog_async._core.forks import sqlite as sqlite_forks
from iprog_async._journal.sqlite.writer import Writer

LONG = {LONG}

def slow(real, reached, opened):
    def do(self, jobs):
        reached.set()
        opened.wait(LONG)
        return real(self, jobs)
    return do
"""


def test_a_child_has_locks_of_its_own(tmp_path: Path) -> None:
    """When the parent has closed its journal, the child's copy of the file is still locked."""
    program = """
with Sandbox() as sandbox:
    sms = SmsClient.from_url(sandbox.address("iprog"), journal="texts.db")
    sms.send(NUMBER, "Hi", key="before")
    ready, done = os.pipe(), os.pipe()
    def child():
        sms.send(NUMBER, "Hi", key="after")
        os.write(ready[1], b"x")
        os.read(done[0], 1)
    pid = forked(child)
    os.read(ready[0], 1)
    sms.close()
    # SQLite's shared lock on the file, and the one on the memory of its log.
    for name, place, length in (("texts.db", 0x40000002, 510), ("texts.db-shm", 128, 1)):
        with open(name, "r+b") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, length, place)
                print("free")
            except BlockingIOError:
                print("locked")
    os.write(done[1], b"x")
    join(pid)
"""
    assert "locked\nlocked\n" == run_program(_BEGIN + _JOURNAL + program, tmp_path)


def test_a_fork_comes_between_two_transactions(tmp_path: Path) -> None:
    """A fork in the midst of a transaction waits for its end, and the child sends."""
    program = """
with Sandbox() as sandbox, SmsClient.from_url(sandbox.address("iprog"), journal="texts.db") as sms:
    sms.send(NUMBER, "Hi", key="before")
    reached, opened = threading.Event(), threading.Event()
    Writer._write_jobs = slow(Writer._write_jobs, reached, opened)
    sending = threading.Thread(target=lambda: sms.send(NUMBER, "Hi", key="parent"))
    sending.start()
    reached.wait(LONG)
    def let_go():
        while sqlite_forks._resumed.is_set():
            time.sleep(0.001)
        opened.set()
    letting_go = threading.Thread(target=let_go)
    letting_go.start()
    join(forked(lambda: sms.send(NUMBER, "Hi", key="child")))
    sending.join()
    letting_go.join()
    print(len(sandbox.inbox))
"""
    assert "3\n" == run_program(_BEGIN + _JOURNAL + program, tmp_path)


def test_a_fork_within_a_transaction_that_takes_too_long(tmp_path: Path) -> None:
    """Where the parent's transaction does not end, the child is told so, and the parent goes on."""
    program = """
sqlite_forks._LONGEST_WAIT = 0.1
with Sandbox() as sandbox, SmsClient.from_url(sandbox.address("iprog"), journal="texts.db") as sms:
    sms.send(NUMBER, "Hi", key="before")
    reached, opened = threading.Event(), threading.Event()
    Writer._write_jobs = slow(Writer._write_jobs, reached, opened)
    sending = threading.Thread(target=lambda: sms.send(NUMBER, "Hi", key="parent"))
    sending.start()
    reached.wait(LONG)
    def child():
        try:
            sms.send(NUMBER, "Hi", key="child")
        except JournalError as error:
            print("forked off while its parent was at the file" in str(error))
    join(forked(child))
    opened.set()
    sending.join()
    print(len(sandbox.inbox))
"""
    assert "True\n2\n" == run_program(_BEGIN + _JOURNAL + program, tmp_path)
