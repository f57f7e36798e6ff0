"""`python -m iprog_async` is the command `iprog-async`."""

import sys

from iprog_async.cli import main


if __name__ == "__main__":
    sys.exit(main())
