"""The app: `uvicorn --app-dir examples --factory shop:create_app`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from iprog_async import SmsError
from shop import campaigns, login, orders, texts
from shop.incoming import PATH
from shop.problems import answer_problem
from shop.services import data_folder, open_services


def create_app(data: Path | None = None) -> FastAPI:
    """Build the app; the gateway is the one that the environment names.

    Args:
        data: Folder of its files; what `SHOP_DATA` names if `None`.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_services(data or data_folder()) as services:
            app.state.services = services
            if services.inbox is not None:
                app.mount(PATH, services.inbox)
            yield

    app = FastAPI(title="Shop", lifespan=lifespan)
    app.add_exception_handler(SmsError, answer_problem)
    for module in (orders, texts, login, campaigns):
        app.include_router(module.router)
    return app
