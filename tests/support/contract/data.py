"""What the cases of the built-in adapters have in common."""

from __future__ import annotations


# As odd as a credential may be: each odd character has another spelling somewhere.
TOKEN = "17|t0k/en+S3cr=et&%\"x'"
# What an answer holds though it is nobody's business, whoever it belongs to.
OTHER_TOKEN = "9|s0mebody-elses"
# One more than the most recipients of a request.
PHILIPPINE = [f"+63917{n}" for n in range(1234567, 1234567 + 101)]
UGANDAN = [f"+25670{n}" for n in range(1234567, 1234567 + 101)]
