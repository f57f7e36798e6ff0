"""What servers of several processes begin with, and how their texts arrive."""

from __future__ import annotations

import json
import time
from collections import defaultdict

from attrs import define, field

from iprog_async.testing import RawRequest, Reply


RATE = (15, 0.4)
"""How many texts each process of these servers may send in how many seconds."""

CLIENT = f"""
import os

from iprog_async import Rate
from iprog_async.sync import SmsClient
from iprog_async_providers.iprog import IprogProvider

provider = IprogProvider("1|token", base_url=os.environ["GATEWAY"], rate=Rate{RATE})
sms = SmsClient(provider, journal="texts.db", max_connections=4)
if os.environ.get("BEFORE"):
    # The process that forks the workers off uses it, too.
    sms.send("+639170000000", f"{{os.getpid()}} before", key="before")
"""
"""What these servers begin with: one client, made when the module is imported."""


@define
class Arrivals:
    """Answers as IPROG does, and notes when which process's texts arrived: a text is its name."""

    times: dict[str, list[float]] = field(factory=lambda: defaultdict[str, list[float]](list))
    texts: list[str] = field(factory=list[str])

    def __call__(self, request: RawRequest) -> Reply:
        """Note a text, and accept it."""
        text = str(json.loads(request.body)["message"])
        self.times[text.split()[0]].append(time.monotonic())
        self.texts.append(text)
        return Reply.of_json({"status": 200, "message_id": f"iSms-{len(self.texts)}"})

    @property
    def most_in_a_window(self) -> int:
        """The most texts that one process sent within the window of its rate."""
        return max(
            sum(start <= other < start + RATE[1] for other in times)
            for times in self.times.values()
            for start in times
        )
