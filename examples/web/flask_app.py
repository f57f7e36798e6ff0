"""A Flask app that texts: `gunicorn "flask_app:create_app()" --workers 2 --threads 8`."""

import os

from flask import Flask, request
from flask.typing import ResponseReturnValue

from iprog_async import InvalidMessageError, RejectedError, SmsError
from iprog_async.sync import SmsClient


def create_app() -> Flask:
    """Make the app, and one client for all its threads."""
    app = Flask(__name__)
    journal = os.environ.get("TEXTS_JOURNAL", "texts.db")
    # Nobody waits longer than ten seconds for a page.
    sms = SmsClient.from_env(journal=journal, deadline=10)

    @app.post("/orders/<order>/shipped")
    def shipped(order: str) -> ResponseReturnValue:
        """Tell a customer that the order is on its way, once, however often this is asked for."""
        phone = request.args.get("phone", "")
        receipt = sms.send(phone, f"Order {order} has shipped.", key=f"shipped-{order}")
        return {"sent": "yes", "ref": receipt.ref}

    app.register_error_handler(SmsError, explain)
    return app


def explain(error: SmsError) -> ResponseReturnValue:
    """Answer an error; what matters is whether the text may be out."""
    if error.may_have_been_sent:
        return {"sent": "unknown", "detail": "It may be out."}, 202
    if isinstance(error, InvalidMessageError | RejectedError):
        return {"sent": "no", "detail": str(error)}, 422
    return {"sent": "no", "detail": "Try again later."}, 503
