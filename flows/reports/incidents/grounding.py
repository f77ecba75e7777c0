"""Does a sentence say only what its facts say?

Numbers and times must be among the facts, as they are written there, and none may be missing.
Every other word must be one of the template's or of a short list of plain words: an invented name,
cause or negation is in neither.
"""

import re

from streetloop.control.report_views import Sentence

_TOKEN = re.compile(r"[^\W_]+(?:[-_.:,/@'’%][^\W_]+)*", re.UNICODE)  # noqa: RUF001 - an apostrophe
_MAX_LENGTH = 4  # times the length of the template's sentence

_PLAIN_WORDS = """
a about after again also among an and answer answers are as at availability available be became
because been before began being between both but by came camera cameras cause caused causes
continued continues counted crossing crossings did drift drifts due during each end ended ending
ends event events for frame frames from further had happened has have hour hours if in incident
incidents into is it its itself kept label labeled labels lasted lasting lasts later learning
likely line lost made mean meanwhile median minute minutes model more most occurred of on
ongoing or our out over percent period probably rate recorded report reported reports result
returned right rollout rollouts run running runs same saw seen share shows since some started
starting state still stopped such system than that the their them then there these they this
those through time times to today total towards under until up version waiting was we went were
when where which while who with within yesterday
"""
_PLAIN = frozenset(_PLAIN_WORDS.split())


def is_grounded(text: str, template: Sentence) -> bool:
    """True if every number, name and time of a text is in the facts of a sentence.

    >>> lost = Sentence(sentence="a40 was lost for 5 minutes.", source="template",
    ...                 facts={"camera": "a40", "minutes": "5"})
    >>> is_grounded("For 5 minutes, a40 was lost.", lost)
    True
    >>> is_grounded("a40 was lost for 6 minutes.", lost)
    False
    >>> is_grounded("a41 was lost for 5 minutes.", lost)
    False
    >>> is_grounded("a40 was not lost.", lost)
    False

    Args:
        text: The text.
        template: The sentence of the template, with its facts.
    """
    if not text.strip() or len(text) > _MAX_LENGTH * max(len(template.sentence), 40):
        return False
    facts = _tokens(" ".join([template.sentence, *template.facts.values()]))
    said = _tokens(text)
    return said <= facts | _PLAIN and _numbers(template.sentence) <= _numbers(text)


def _tokens(text: str) -> set[str]:
    return {token.casefold() for token in _TOKEN.findall(text)}


def _numbers(text: str) -> set[str]:
    return {token for token in _tokens(text) if any(sign.isdigit() for sign in token)}
