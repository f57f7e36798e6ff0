"""IPROG's part in the local sandbox."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from iprog_async.sandbox import SandboxGateway, SandboxState


TOKEN = "sandbox-iprog-token"  # noqa: S105 - accepted by the sandbox alone


class _Iprog:
    """The state and the routes of one sandbox."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def send(self, request: Request) -> JSONResponse:
        body = await request.json()
        text = self._state.accept(
            "iprog", body["phone_number"], body["message"], message_id=self._state.new_id("iSms-")
        )
        return JSONResponse({"status": 200, "message": "queued", "message_id": text.message_id})

    def routes(self) -> list[BaseRoute]:
        return [Route("/api/v1/sms_messages", self.send, methods=["POST"])]


def _routes(state: SandboxState) -> Sequence[BaseRoute]:
    return _Iprog(state).routes()


GATEWAY = SandboxGateway("iprog", _routes, f"iprog://{TOKEN}@?base_url={{base_url}}")
