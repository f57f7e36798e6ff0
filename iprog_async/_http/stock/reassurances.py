"""What says that nothing is wrong, or that a text arrived, in the words of those who find faults.

"No errors", "Number is not blacklisted" and "No spam found" have a fault's word and a "not" in
front of it; "Message can't be blank" has both and is a rule. "You should have the message" is no
rule, "You must have a plan" is one.
"""

from __future__ import annotations


_END = r"(?![^\W_])"
# As many as there may be between two words of a reason.
_FIRST = "[ ,()/_-]{1,8}"
_NEXT = "[ /_-]{1,8}"

_ARTICLE = "an?|any|the|this|that|these|those|your"
# What may stand between a "not" and the word that it takes back; behind any other word it is about
# that one: "is not allowed to be empty", "does not match the required format".
_BETWEEN = (
    f"{_ARTICLE}|as|be|been|being|contains?|exist|found|from|have|in|includes?|included|known|listed"
    "|more|of|on|recogni[sz]ed|registered"
    "|messages?|mobile|numbers?|phone|recipients?|sender|sms|texts?|words?"
)
# What an "and" begins is another thing.
_ANY_WORD = r"(?!(?:and|or)\b)[a-z]{1,15}"
# A rule that was broken, directly behind a "not"; what follows is the rule's, as in "not valid for
# restricted networks".
_BROKEN = (
    "(?:an? )?(?:accept(?:ed)?|allow(?:ed)?|approved|assigned|authori[sz]ed|available|configured"
    "|defined|enabled|enough|given|pass|permitted|provided|specified|supplied|support(?:ed)?|valid"
    "|verified|whitelisted)"
)
# A hyphen with spaces around it begins another thing, too.
_ON = "(?:[ /_]|(?<! )-){1,8}"

_TEXT = "codes?|it|messages?|otps?|sms|texts?|them|this|that"
_OF_TEXT = (
    "body|characters?|content|fields?|format|ids?|keys?|length|parameters?|params?|size|types?"
)
_HELD = (
    rf"(?:(?:{_ARTICLE}|\d{{1,5}}|sms|text|valid){_NEXT}){{0,3}}(?:{_TEXT}){_END}"
    rf"(?!{_NEXT}(?:{_OF_TEXT}))"
)
# What somebody has to have; of anything else, he may well have it.
_TO_HAVE = (
    r"an?|at (?:least|most)|between|(?:the )?country code|credentials|credits?|different"
    r"|enough|fewer|funds|greater|less|longer|more|no|shorter|sufficient|unique|valid|\d{1,5}"
)
_MODAL = "can|could|has to|have to|may|must|needs? to|should"
_NT = "n['\u2019]t"
_MODAL_NOT = f"(?:{_MODAL}) not|cannot|(?:ca|could|must|should){_NT}"
_NOT = f"(?:[a-z]{{2,6}} )?not|[a-z]{{2,6}}{_NT}"
# "Must not" is a rule, and "is not" tells how it is.
_IS_NOT = rf"(?!(?:{_MODAL_NOT}){_END})(?:{_NOT}){_END}(?!{_FIRST}(?:allowed|permitted))"
# Where a value has to be, all of which are forms of it, or times.
_PLACES = (
    r"array|ascii|characters?|digits|e\.164|encoding|format|future|gsm-?7|letters|list|past|ucs-?2"
    "|unicode|utf-?8"
)
# Of what is due, what would mean that somebody has the text.
_OF_PEOPLE = "|".join(
    (
        rf"(?:has|have|need){_NEXT}to{_END}",
        rf"(?:contain|have|include)(?:{_NEXT}at{_NEXT}(?:least|most))?{_NEXT}{_HELD}",
        rf"be{_NEXT}in{_END}(?!(?:{_NEXT}[\w.]{{1,15}}){{0,5}}?{_NEXT}(?:{_PLACES}){_END})",
        rf"(?:accepted|given|included|present|provided|supplied){_NEXT}to{_END}(?!{_NEXT}send)",
    )
)


def reassurance(wrong: str) -> str:
    """Return the pattern of how a text goes on, from a word on, that says nothing is wrong.

    Args:
        wrong: Pattern of the words of what is wrong.
    """
    faults = "duplicates?|errors?|expired|failed|failures?|faults?|issues?|problems?|too|"
    faults += f"(?!no{_END}|too{_END})(?:{wrong})"
    allowed = f"blank|empty|exceeded|missing(?!{_NEXT}{_HELD})|too"
    return "|".join(
        (
            rf"(?:{_IS_NOT}{_FIRST}(?:(?:{_BETWEEN}){_NEXT}){{0,5}}"
            rf"|no{_FIRST}(?:{_ANY_WORD}{_NEXT}){{0,12}}"
            # "It can't be blank" is a rule; "You can't be blocked" is none.
            rf"|(?:(?:can|could|may) not|cannot|(?:ca|could){_NT}){_FIRST}be{_NEXT}"
            rf"(?:an?{_NEXT})?(?!{allowed}))"
            rf"(?!(?<=the )(?:mandatory|required))(?:{faults}){_END}",
            # What a thing is not: found in a list of blocked numbers, or known to be invalid.
            rf"{_IS_NOT}{_FIRST}(?!{_BROKEN}{_END})(?:{_ANY_WORD}{_ON}){{0,12}}"
            rf"(?!mandatory|required|too)(?:{faults}){_END}",
            # The answer to what is in front of it.
            r"(?:no|not)[ ,()/_-]{0,8}(?:[.!?;)]|\Z)",
            rf"{_IS_NOT}{_FIRST}(?:{_ANY_WORD}{_NEXT}){{0,5}}(?:black ?list(?:ed)?|than){_END}",
            rf"no{_FIRST}(?:{_ANY_WORD}{_NEXT}){{0,4}}(?:detected|limits?|reserved){_END}",
            rf"no{_FIRST}(?:{_ANY_WORD}{_NEXT}){{1,4}}(?:given|provided|supplied){_NEXT}to{_END}",
            rf"no{_FIRST}(?:emojis?|keywords?|links?|url shorteners?|urls?){_NEXT}"
            rf"(?:[a-z]{{2,4}}{_NEXT}){{0,2}}found{_END}",
            rf"no{_FIRST}(?:{_ANY_WORD}{_NEXT}){{0,4}}found{_NEXT}(?:in|on){_NEXT}"
            rf"(?:(?:a|any|the){_NEXT})?black",
            rf"{_IS_NOT}{_FIRST}(?:contain|have|include){_NEXT}(?:(?:an?|any){_NEXT})?"
            rf"(?:emojis?|links?|url shorteners?|urls?){_END}",
            rf"(?:are|contains?|has|includes?|is|was|were){_NEXT}no{_NEXT}[a-z]{{4,7}}{_NEXT}than",
            # A list of faults that has none.
            rf"(?:black ?list|errors?|(?:blocked|invalid){_NEXT}[a-z]{{2,15}}(?:{_NEXT}list)?)"
            rf"{_NEXT}(?:are|is|was|were){_NEXT}(?:blank|empty|missing){_END}",
            rf"(?:are|is|looks|seems){_NEXT}valid{_END}",
            rf"(?:{_MODAL})(?:{_NEXT}only)?{_NEXT}have{_END}(?!{_NEXT}(?:{_TO_HAVE}){_END})",
            rf"(?:{_MODAL}|cannot|{_NOT})(?:{_NEXT}(?:an?|be|been|not|only|the)){{0,3}}{_FIRST}"
            rf"(?:{_OF_PEOPLE})",
            rf"(?:{_MODAL}){_NEXT}(?:be{_NEXT})?(?:present|provided){_NEXT}in{_END}"
            rf"(?!{_NEXT}(?:(?:{_ARTICLE}){_NEXT})?(?:body|header|input|request){_END})",
            # What is in a text has arrived with it.
            rf"(?:please{_NEXT})?(?:check|correct|enter|insert|provide|specify){_FIRST}"
            rf"(?:(?!country){_ANY_WORD}{_NEXT}|\d{{1,2}}[ -]?digits?{_NEXT}){{0,5}}"
            rf"(?:codes?|otps?){_END}",
            rf"(?:otp|sms|text){_NEXT}codes?{_END}",
            rf"(?<!country )(?:codes?|otps?){_NEXT}(?:by|from|in|of|with){_NEXT}"
            rf"(?:(?:{_ARTICLE}){_NEXT})?(?:messages?|sms|texts?){_END}",
        )
    )
