"""One-time codes over any gateway: sent to a number, and checked when somebody types them."""

from iprog_async._core.public import publish
from iprog_async.codes._codes import Codes
from iprog_async.codes._values import CodeCheck, CodeSent


__all__ = ["CodeCheck", "CodeSent", "Codes"]

publish(globals())
