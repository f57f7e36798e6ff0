"""What authors of adapters build with; applications need none of it.

`providers/README.md` in the repository shows how the pieces fit together.
"""

from iprog_async._core.amounts import amount_or_none, parse_amount
from iprog_async._core.checks import whole_number
from iprog_async._core.errors import Blame
from iprog_async._core.hot_path import value
from iprog_async._core.json_types import is_array, is_object
from iprog_async._core.messages import Message, PreparedMessage, check_sender_id, check_text
from iprog_async._core.outcomes import accepted, failed, rejected, unclear
from iprog_async._core.phones import to_e164, to_region
from iprog_async._core.public import publish
from iprog_async._core.rates import to_rate
from iprog_async._core.receipts import PENDING
from iprog_async._core.redaction import clean_secret, mask_keys, one_line, shown, veiled, words
from iprog_async._core.schedules import check_aware, check_future, wall_clock
from iprog_async._core.sealed import MASK, Secret, seal_mapping
from iprog_async._http.acceptance import (
    doubts,
    says_taken,
    says_unsure,
    speaks_of_sending,
)
from iprog_async._http.base_urls import ApiPaths
from iprog_async._http.calls import NOT_JSON, Answer, Call, Effect, Gateway, HttpCall, UnclearAnswer
from iprog_async._http.stock.reasons import PLAIN_REASON, may_run_out
from iprog_async._providers.base import BaseProvider, to_sender_id
from iprog_async._providers.environment import credentials_from_env
from iprog_async._providers.inbound import ReceivedCursor, ReceivedReading, sender_of
from iprog_async._providers.listed import refuse_one
from iprog_async._providers.numbers import is_number_of
from iprog_async._providers.protocols import Batching, Capabilities, Scheduling
from iprog_async._providers.refusals import (
    ErrorForm,
    Refusal,
    give_up,
    refuse,
    refuse_or_give_up,
)
from iprog_async._providers.structure import (
    Id,
    Text,
    count_or_none,
    id_or_none,
    names_errors,
    structure,
)
from iprog_async._providers.url import SmsUrl, to_flag


__all__ = [
    "MASK",
    "NOT_JSON",
    "PENDING",
    "PLAIN_REASON",
    "Answer",
    "ApiPaths",
    "BaseProvider",
    "Batching",
    "Blame",
    "Call",
    "Capabilities",
    "Effect",
    "ErrorForm",
    "Gateway",
    "HttpCall",
    "Id",
    "Message",
    "PreparedMessage",
    "ReceivedCursor",
    "ReceivedReading",
    "Refusal",
    "Scheduling",
    "Secret",
    "SmsUrl",
    "Text",
    "UnclearAnswer",
    "accepted",
    "amount_or_none",
    "check_aware",
    "check_future",
    "check_sender_id",
    "check_text",
    "clean_secret",
    "count_or_none",
    "credentials_from_env",
    "doubts",
    "failed",
    "give_up",
    "id_or_none",
    "is_array",
    "is_number_of",
    "is_object",
    "mask_keys",
    "may_run_out",
    "names_errors",
    "one_line",
    "parse_amount",
    "publish",
    "refuse",
    "refuse_one",
    "refuse_or_give_up",
    "rejected",
    "says_taken",
    "says_unsure",
    "seal_mapping",
    "sender_of",
    "shown",
    "speaks_of_sending",
    "structure",
    "to_e164",
    "to_flag",
    "to_rate",
    "to_region",
    "to_sender_id",
    "unclear",
    "value",
    "veiled",
    "wall_clock",
    "whole_number",
    "words",
]

publish(globals())
