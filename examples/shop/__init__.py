"""A web shop that texts its customers: a FastAPI app on iprog-async."""

from shop.app import create_app


__all__ = ["create_app"]
