"""Header fields beside a refusal: those of the answer, and those that lead to a text."""

from __future__ import annotations

import pytest

from iprog_async._http.stock.header_fields import lead_to_a_text


_SEND = "http://sms.example/accounts/17/v1/sms/send"
_HARMLESS: list[tuple[int, dict[str, str]]] = [
    *(
        (status, {"location": address})
        for status in (301, 307, 308)
        for address in (
            *(
                "https://sms.example/accounts/17/v1/sms/send",
                "https://www.sms.example/v1/sms/send/",
            ),
            *(
                "/api/v3/sms/send/",
                "/elsewhere",
                "//sms2.example:8443/v1",
                "",
                "/v1?api_key=a7&to=63",
            ),
            *("/login?next=/api/v1/sms_messages", "/login?returnUrl=%2Fapi%2Fv1", "/site3/"),
            *("/auth/login?redirect=/api/v3/sms/send", "https://h/server1/api/v1", "/~user12/v1"),
            *("/api/2/send", "/403.php", "/error/403", "/404", "/error404", "/3.8/api"),
        )
    ),
    *((429, {f"x-{name}location": "MNL1"}) for name in ("", "dc-", "pop-", "server-", "geo-")),
    (401, {"x-edge-location-klb": "1", "ocp-apim-trace-location": "https://x.blob/8d1f"}),
    *((404, {"content-location": name}) for name in ("404.html", "/errors/404.shtml", "/v1/sms")),
    (429, {"refresh": "5"}),
    (429, {"refresh": "5; url=/v1/sms/send"}),
    (404, {"link": '<https://h/wp-json/>; rel="https://api.w.org/", </a.css?v=12>; rel=preload'}),
    (429, {"link": '<https://docs.example/errors/429>; rel="help"'}),
    (404, {"x-original-url": "/a/8812", "report-to": "/r/8812", "server": "nginx/1.18.0"}),
    (404, {"x-debug-token-link": "https://h/_profiler/8d1f2c", "x-pingback": "/xmlrpc.php"}),
    (301, {"x-redirect-by": "WordPress", "location": "/v1", "set-cookie": "sid=8d1f; path=/a/7"}),
    (429, {"x-ratelimit-reset": "1764412345", "x-request-id": "8d1f-7", "cf-ray": "8d1f2c30aa"}),
]
_LEADING: list[tuple[int, dict[str, str]]] = [
    *(
        (status, {"location": address})
        for status in (301, 307, 308)
        for address in (
            *(
                "/messages/8812",
                "/sms/status?id=8812&queued=2",
                "/compose?msg=Message+sent",
                "/m/a-7",
            ),
            *(
                "/sent",
                "/messages/8812/queued",
                "https://h/v1#8812",
                "/v1?x=7",
                "/v1?8812",
                "sms:7",
            ),
            *("/login?next=/messages/8812", "/login?next=/sent", "/go?in=/a?id=7", "/go?8=/v1"),
            *("/messages/404", "/404/status", "/api/2", "/api/88/send", "/sms/2/send", "/message3"),
            *("/messages/550e8400-e29b-41d4-a716-446655440000", "/%38", "http://[", "/thank-you"),
        )
    ),
    *((status, {"location": "/v1/sms"}) for status in (401, 404, 405, 413, 429)),
    *((status, {"operation-location": "/v1/sms"}) for status in (301, 404, 429)),
    (404, {"content-location": "/messages/8812"}),
    (429, {"refresh": "5;url=/messages/8812"}),
    (429, {"refresh": "0; /sms/status?id=8812"}),
    (429, {"link": '</messages/8812>; rel="item"'}),
    (404, {"x-status-url": "/messages/a-7"}),
    (404, {"hx-redirect": "/sent"}),
    *((429, {f"x-{name}-url": "/messages/8812"}) for name in ("report", "request", "info")),
    *((429, {"link": links}) for links in ("<a?b=c>, " * 51, "<a>; rel=icon, " * 1_000)),
    *((301, {"location": f"/v1?{query}"}) for query in ("a=b&" * 51, "a=" + "b" * 4_001)),
    *((404, {"x-location": place}) for place in ("sent", "/m/8812", "sms:8812", "queued")),
]


@pytest.mark.parametrize(("status", "headers"), _HARMLESS)
def test_header_fields_may_lead_to_the_same_elsewhere(status: int, headers: dict[str, str]) -> None:
    """With what was asked in path and query, and to what is written about a gateway."""
    assert not lead_to_a_text(headers, status, _SEND, ["api_key", "to"])


@pytest.mark.parametrize(("status", "headers"), _LEADING)
def test_header_fields_may_lead_to_a_text(status: int, headers: dict[str, str]) -> None:
    """To one of many, to a page of thanks, or to whatever was made."""
    assert lead_to_a_text(headers, status, _SEND, ["api_key", "to"])
