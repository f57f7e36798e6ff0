"""What stands in the pages that servers write for a status, beside its number.

Those of nginx, Apache, IIS, Google, Cloudflare, HAProxy, Tomcat, Spring, Rails, Laravel, Django,
Werkzeug, Express and Go (SRC). Each phrase says that something of the web is not there, not
allowed, too large or elsewhere; none says anything of a text, or of what was done with one.
"""

from __future__ import annotations

from iprog_async._http.stock.limits import LIMITS
from iprog_async._http.stock.phrases import Phrases


_VERB = r"(?:delete|get|patch|post|put)"
# Where it leads is looked at beside these phrases.
_URL = r"https?://\S{0,300}"

# What stands there in one piece, and is another each time: software, host and port, the id that
# somebody in front gave to an answer, the time. That of a request may be that of its text.
_PIECES = (
    r"(?:apache|caddy|gunicorn|lighttpd|litespeed|microsoft-iis|mod_(?:fcgid|perl|ssl|wsgi)|nginx"
    r"|openresty|openssl|php|python|tomcat|werkzeug)/\d{1,3}(?:\.\d{1,5}){0,3}[a-z]?(?:-fips)?"
    r"(?: \((?:centos|debian|red hat|rhel|ubuntu|unix)\))?",
    r"(?:apache|caddy|cloudflare|cloudfront|express|iis|lighttpd|litespeed|nginx|openresty|tomcat)"
    r"(?: (?:\((?:debian|ubuntu)\)|web server|server))?",
    r"server at [\w.-]{1,253} port \d{1,5}",
    r"(?:ray|trace) id:? ?(?=[\w=-]{0,99}\d)[\w=-]{4,100}",
    r"your ip:? (?:click to reveal )?[\da-f.:]{3,45}",
    r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?(?: ?utc|z)?",
    r"a padding to disable msie and chrome friendly error page",
)
_NAMES = (
    r"moved permanently|(?:permanent|temporary) redirect|method not allowed|not found|no such page",
    r"(?:content|payload|request entity|entity|request body|request) too large",
    r"(?:http )?(?:status|error)(?: code)?|http|code|server error|sorry",
    r"oops(?:! an error occurred)?",
    r"that's an error|that's all we know|we(?: are|'re) sorry",
)

# "The requested URL /v1 was not found on this server", "Sorry, the page you are looking for ..."
_PLACE = (
    r"(?:web ?page|page|url(?: (?:https?:/)?/\S{0,300})?|resource|route|path|file(?: or directory)?"
    r"|document|directory|endpoint|object|link)"
)
_ASKED = (
    rf"(?:(?:the|this|that|your|a) )?(?:requested |web )?{_PLACE}(?: requested)?"
    r"(?: you(?:'re| are| were| have)? (?:looking for|requesting|requested|typed|entered"
    r"|trying to (?:access|visit|reach)))?"
)
_ON_SERVER = r"(?: (?:on|at) (?:this|the|our) (?:server|website|site|app|application))"
_NOT_THERE = (
    r"(?:(?:(?:was|is|has|could|can|does|did) not|cannot|no longer|can't|couldn't|doesn't|isn't"
    r"|wasn't) (?:be |been )?(?:found|exist|available|displayed)|no longer exists|not found)"
)
_NOT_FOUND = (
    rf"(?:sorry,? )?(?:but )?{_ASKED}(?:{_ON_SERVER})?,? {_NOT_THERE}(?:{_ON_SERVER})?",
    rf"(?:sorry,? )?(?:but )?(?:we|the server) (?:could not|couldn't|cannot|can't) find {_ASKED}"
    rf"(?:{_ON_SERVER})?",
    rf"{_ASKED} (?:may|might) have been (?:moved|removed|renamed|deleted)"
    r"(?:, had its name changed)?,?(?: or is temporarily unavailable)?",
    rf"cannot {_VERB} /\S{{0,300}}",
    r"if you entered the url manually please check your spelling and try again",
    r"please check (?:the url|your spelling)(?: and try again)?",
    r"you may have mistyped the address or the page may have moved",
    r"if you are the application owner check the logs for more information",
    r"additionally, a 404 not found error was encountered while trying to use an errordocument to "
    r"handle the request",
    r"(?:(?:go|go back|return|back) to )?(?:the |our )?(?:home ?page|home)",
    # Tomcat
    r"the origin server did not find a current representation for the target resource or is not "
    r"willing to disclose that one exists",
)
_NOT_ALLOWED = (
    rf"(?:the )?(?:requested )?(?:http )?(?:method|verb)(?: {_VERB})? (?:is|was) not "
    rf"(?:allowed|supported)(?: (?:for|by|on|at) (?:this|the)(?: requested)? {_PLACE})?",
    # IIS
    r"http verb used to access this page is not allowed",
    rf"{_ASKED} cannot be displayed because an invalid method \(http verb\) was used to attempt "
    r"access",
    # Google
    rf"the request method {_VERB} is inappropriate for the url /\S{{0,300}}",
    # HAProxy
    r"a request was made of a resource using a request method not supported by that resource",
    # Tomcat
    r"the method received in the request-line is known by the origin server but not supported by "
    r"the target resource",
)
_TOO_LARGE = (
    r"(?:the )?(?:request entity|request body|request|entity|payload) is too large",
    # Apache
    rf"the requested resource does not allow request data with {_VERB} requests, or the amount of "
    r"data provided in the request exceeds the capacity limit",
    r"payloadtoolargeerror: request entity too large",
    # IIS
    r"the page was not displayed because the request entity is too large",
    # Google
    r"your client issued a request that was too large",
    # HAProxy
    r"the request entity exceeds the maximum allowed",
    # Tomcat
    r"the server is refusing to process a request because the request payload is larger than the "
    r"server is willing or able to process",
)
_MOVED = (
    rf"(?:the|this) (?:document|page|resource|object) has (?:been )?(?:permanently )?moved"
    rf"(?: permanently)?(?: to {_URL}| here)?",
    r"object moved|this (?:document|object) may be found here",
    rf"redirecting(?: to {_URL}|\.\.\.)?",
    rf"you should be redirected automatically to (?:the )?target url: {_URL} "
    r"if not,? (?:please )?click the link",
)
_FRAMES = (
    # Google
    r"\((?:method not allowed|not found|request entity too large)\)!!1",
    # Tomcat
    rf"type status report(?: message http method {_VERB} is not supported by this url"
    rf"| message request method {_VERB} is not supported)? description",
    # Spring
    r"whitelabel error page",
    r"this application has no explicit mapping for /error, so you are seeing this as a fallback",
    r"(?:mon|tue|wed|thu|fri|sat|sun) (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec) "
    r"\d\d \d\d:\d\d:\d\d (?:cat|cest|cet|eat|gmt|ist|pht|pst|sast|utc|wat) \d{4}",
    r"there was an unexpected error \(type=(?:not found, status=404"
    r"|method not allowed, status=405|payload too large, status=413|too many requests, status=429"
    r")\)(?:\. no message available)?",
)
# What Flask-Limiter and Cloudflare show to whom they limit, and nobody else.
_LIMITERS = (
    r"this user has exceeded an allotted request count",
    r"error 1015|what happened\?",
    r"the owner of this website \([\w.-]{1,253}\) has banned you temporarily from accessing this "
    r"website",
    r"performance & security by cloudflare|please enable cookies",
    r"was this page helpful\? yes no thank you for your feedback",
)

PAGES: Phrases = (
    *_FRAMES,
    *_NOT_ALLOWED,
    *_TOO_LARGE,
    *_NOT_FOUND,
    *_MOVED,
    *_PIECES,
    *_NAMES,
)
"""Pages of a status by which the request came to nobody who sends."""

PAGES_OF_LIMITS: Phrases = (*_LIMITERS, *LIMITS, *_PIECES)
"""Pages of a limit on requests."""
