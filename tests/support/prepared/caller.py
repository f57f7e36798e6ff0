"""Has the prepared interpreter run a program, as if this process did: `caller.py SOCKET program`.

It imports little, as it is started for each program.
"""

import marshal
import os
import signal
import socket
import sys


_PASSED_ON = (signal.SIGTERM, signal.SIGINT)


def call(door: str, arguments: list[str]) -> int:
    """Return how the program ended, as `Popen` does; signals of this process are the program's."""
    asked = marshal.dumps((os.getcwd(), arguments, dict(os.environ)))
    # Those that come before it is known whose they are wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    with socket.socket(socket.AF_UNIX) as keeper:
        keeper.connect(door)
        socket.send_fds(keeper, [len(asked).to_bytes(4, "big")], [0, 1, 2])
        keeper.sendall(asked)
        with keeper.makefile() as told:
            program = int(told.readline())
            for number in _PASSED_ON:
                signal.signal(number, lambda number, _: os.kill(program, number))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
            return int(told.readline())


if __name__ == "__main__":
    code = call(sys.argv[1], sys.argv[2:])
    if code < 0:  # by a signal: this process does the same
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
