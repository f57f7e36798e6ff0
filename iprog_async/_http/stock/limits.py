"""How a limit on requests is told: by frameworks, by gateways in front of others, in plain words.

Laravel, Express, Django, AWS, Azure, Kong, Tyk, Envoy, Fastify, NestJS, Flask-Limiter and the like
(SRC). A number stands in none of these phrases but beside a unit of time; any other may say which
of several texts was the last one that was sent. For the same reason nothing but a limit is
"reached", and nothing "was" allowed.
"""

from __future__ import annotations

from iprog_async._http.stock.phrases import Phrases


_NUMBER = r"\d{1,6}(?:[.,]\d{1,3})?"
_UNIT = r"(?:(?:millisecond|second|minute|hour|day|week|month|sec|min|hr)s?|ms|s)"
_SPAN = rf"(?:(?:{_NUMBER} ?|(?:an?|one|a few) )?{_UNIT})"
_CALL = r"(?:(?:api|http|concurrent|parallel|simultaneous) )?(?:request|call)s?"
_EACH = rf"(?: ?/ ?| (?:per|every|each) ){_SPAN}"
# No "user" or "client": it may be one of several recipients.
_YOURS = (
    r"(?: (?:for|from|by|on) (?:your account|(?:your|this) (?:api key|api|endpoint|ip address|ip"
    r"|key|token)))"
)

# "the daily limit", "your quota", "API rate limit", "the maximum number of requests per minute"
_LIMIT = (
    r"(?:(?:the|this|your|our|an?) )?"
    r"(?:(?:account|allowed|api|calls?|concurrency|concurrent|daily|frequency|global|hourly|local"
    r"|max|maximum|monthly|plan|quota|requests?|throttle|throttling|usage|weekly) ){0,3}"
    r"(?:rate limits?|ratelimits?|rate|limits?|quotas?|number of (?:allowed )?(?:requests|calls))"
    rf"(?: (?:of|on) (?:{_NUMBER} {_CALL}(?={_EACH})|requests|calls))?(?:{_EACH})?{_YOURS}?"
)
_OVER = r"(?:exceeded|reached|hit|exhausted)"
_HAS = r"(?:(?:is|was|has been|have been|been) )?(?:already )?"
_YOU = (
    r"(?:you(?:'ve| have)?|your (?:account|api key|ip address|ip|key|token) has)"
    r"(?: already)?"
)

_LATER = (
    rf"(?:(?: in| after:?| for| at least| about){{0,2}} (?:{_SPAN}"
    r"|a moment|a while|a bit|some time|later|soon|shortly))"
)
_SAME = r"(?: (?:your|the|this) request)?(?: again)?"
# No "retrying" by itself: then the gateway does. Whoever meets a "retry limit" has tried.
_AGAIN = rf"(?:try|retry(?! (?:limit|quota|rate))){_SAME}"
_BEFORE = rf"before (?:you )?(?:try|retry|trying|retrying){_SAME}"
_THEN = rf"(?: (?:(?:and|and then|then) {_AGAIN}|{_BEFORE}){_LATER}?)"
_AND = "(?:(?:and|so|then) )?"
_YOU_MAY = "(?:please )?you (?:can|may|must|should) (?:please )?"

LIMITS: Phrases = (
    # "Rate limit exceeded", "You've hit the limit of 3 requests per minute", "Rate exceeded"
    rf"{_LIMIT} {_HAS}{_OVER}{_YOURS}?",
    rf"(?:{_YOU} )?{_OVER} {_LIMIT}",
    rf"(?:you(?:'re| are) )?(?:exceeding|over|above) {_LIMIT}",
    # "Too Many Attempts.", "You have made too many requests in the last minute"
    r"(?:(?:you(?:'ve| have) made|you(?:'re| are) making|there are) )?"
    rf"too many(?: {_CALL}| attempts)?(?: at once| at a time| at the same time)?{_YOURS}?"
    rf"(?: (?:in|within|per) (?:(?:the|the last|the past) )?{_SPAN}| in (?:too )?short a time)?",
    rf"(?:{_CALL} (?:(?:is|are) )?)?too (?:fast|frequent|frequently|often|quickly|soon)",
    # "Request was throttled. Expected available in 12 seconds."
    r"(?:(?:the|this|your) )?request (?:is|was|has been) (?:throttled|rate limited|limited)",
    r"you(?:'re| are| were|'ve been| have been) (?:being )?(?:temporarily )?"
    r"(?:rate ?limited|throttled)",
    r"(?:expected )?available(?: again)? in " + _SPAN,
    r"(?:local )?rate ?limited|throttled|throttling(?: error| exception)?|throttler exception",
    rf"{_LIMIT} (?:will )?resets? (?:in|every) {_SPAN}",
    # "Limit: 60 requests per minute", "5 per 1 minute"
    rf"(?:(?:only|up to|at most|no more than|a maximum of|max|maximum) )?{_NUMBER}(?: {_CALL})?"
    rf"{_EACH}(?: (?:is|are) allowed)?",
    # "Please wait 30 seconds before trying again", "retry after 30 seconds", "Slow down"
    # No "retry" or "wait" by itself: it may be a state of the text.
    rf"{_AND}(?:{_YOU_MAY}|please )(?:slow down|back off|wait|{_AGAIN}){_LATER}?{_THEN}?",
    rf"{_AND}(?:slow down|back off){_LATER}?{_THEN}?",
    rf"{_AND}(?:wait|{_AGAIN})(?:{_LATER}{_THEN}?|{_THEN})",
    rf"{_AND}(?:try again|(?:re)?try (?:your|the|this) request(?: again)?)",
    r"(?:please )?reduce your request rate",
    r"(?:the )?(?:server|system|service) (?:is )?(?:too |currently )?busy",
    r"(?:(?:api|request) )?(?:rate limit(?:ing)?|limit|quota|frequency limit)",
    # No "status: throttled".
    r"(?:http )?status(?: code)?(?=[ :=(-]{0,3}(?:429(?![^\W_])|too many requests))",
    r"(?:http )?error(?: code)?|http|code",
)
"""A limit on requests, and how long to wait for it."""
