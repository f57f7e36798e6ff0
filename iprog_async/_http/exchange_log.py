"""What was said to a gateway and what it answered, for whoever looks for what is wrong."""

from __future__ import annotations

import json
import logging
import re

from iprog_async._core.redaction import SECRET_KEYS, Redactor, mask_keys, one_line
from iprog_async._core.sealed import MASK
from iprog_async._engines.base import Failure, WireReply, WireRequest


logger = logging.getLogger("iprog_async.exchange")
# Also where everything else is at DEBUG: numbers and texts are in it, which no other record has.
logger.setLevel(logging.INFO)

_LONGEST = 2000
_SECRET_FIELD = re.compile(rf"\b({'|'.join(sorted(SECRET_KEYS))})=[^&\s]*")


def log_exchange(request: WireRequest, result: WireReply | Failure, redactor: Redactor) -> None:
    """Write debug records of a request and its answer, without a credential and without headers.

    Args:
        request: What was sent.
        result: What came back, or why nothing did.
        redactor: Takes out the secrets of the call.
    """
    if not logger.isEnabledFor(logging.DEBUG):
        return
    logger.debug("> %s %s", request.method, _shown(request.url.encode(), redactor))
    if request.content:
        logger.debug("> %s", _shown(request.content, redactor))
    if isinstance(result, Failure):
        logger.debug("< no answer: %s", one_line(redactor.text(result.reason)))
    else:
        logger.debug("< HTTP %d %s", result.status, _shown(result.body, redactor))


def _shown(body: bytes, redactor: Redactor) -> str:
    text = body.decode("utf-8", "replace")
    try:
        masked = json.dumps(redactor.data(mask_keys(json.loads(text))), ensure_ascii=False)
    except (ValueError, RecursionError):
        masked = _SECRET_FIELD.sub(rf"\1={MASK}", redactor.text(text))
    return one_line(masked, _LONGEST)
