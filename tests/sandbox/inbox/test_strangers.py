"""No stranger's site reads or changes a sandbox through somebody's browser."""

import pytest
from support.sandbox_page import TO
from support.sandbox_toy import exchange, fetch

from iprog_async.sandbox import Sandbox


HOSTS = [
    ("127.0.0.1:80", 200),
    ("localhost", 200),
    ("LOCALHOST:1234", 200),
    ("[::1]:80", 200),
    ("192.168.1.2", 200),
    ("evil.example", 421),
    ("127.0.0.1.evil.example", 421),
    ("localhost.evil.example:80", 421),
    ("box", 421),
    ("[", 421),
    ("", 421),
]


@pytest.mark.parametrize("path", ["/", "/_sandbox/inbox", "/_sandbox/events", "/toy/stream"])
@pytest.mark.parametrize(("host", "status"), HOSTS)
def test_strangers_names_are_refused(sandbox: Sandbox, path: str, host: str, status: int) -> None:
    """Under a name that a stranger's site may have, nothing is served, gateways included."""
    sent = f"HEAD {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert str(status) == exchange(sandbox.url, sent.encode()).decode().split(" ")[1]


def test_container_names_are_known_where_others_come_in() -> None:
    """A sandbox for other machines is reached by names of a local network, and by no others."""
    with Sandbox(host="127.0.0.1", allow_remote=True) as sandbox:
        for host, status in [("box:80", 200), ("host.docker.internal", 200), ("a.example", 421)]:
            answer = fetch("GET", f"{sandbox.url}/_sandbox/health", headers={"Host": host})
            assert status == answer.status_code


SITES: list[tuple[dict[str, str], int]] = [
    ({}, 200),
    ({"Origin": "{url}"}, 200),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "{url}"}, 200),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://127.0.0.1:1"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site", "Origin": "{url}"}, 403),
]


@pytest.mark.parametrize(("headers", "status"), SITES)
def test_other_sites_change_nothing(sandbox: Sandbox, headers: dict[str, str], status: int) -> None:
    """Requests that a browser makes for another site's page are refused; programs are served."""
    sandbox.state.accept("toy", TO, "hi", message_id="1")
    given = {name: value.format(url=sandbox.url) for name, value in headers.items()}
    for method, path in [("DELETE", "inbox"), ("POST", "reset"), ("DELETE", "switches")]:
        answer = fetch(method, f"{sandbox.url}/_sandbox/{path}", headers=given)
        assert status == answer.status_code
        assert "access-control-allow-origin" not in answer.headers
    assert (status == 403) == bool(sandbox.inbox)


@pytest.mark.parametrize(("headers", "status"), SITES)
def test_other_sites_send_nothing(sandbox: Sandbox, headers: dict[str, str], status: int) -> None:
    """A gateway serves programs, and no other site's page, not even with a GET."""
    given = {name: value.format(url=sandbox.url) for name, value in headers.items()}
    body = {"to": TO, "text": "hi"}
    answer = fetch("POST", f"{sandbox.url}/toy/send", json=body, headers=given)
    assert (
        status
        == answer.status_code
        == fetch("GET", f"{sandbox.url}/toy/stream", headers=given).status_code
    )
    assert (status == 200) == bool(sandbox.inbox)
