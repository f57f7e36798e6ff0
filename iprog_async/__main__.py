"""Runs the command: `python -m iprog_async` is `iprog-async`."""

import sys

from iprog_async.cli import main


if __name__ == "__main__":
    sys.exit(main())
