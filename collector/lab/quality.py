"""What looks odd in a record beside the others of its form, and why. Pure. Nothing is refused or changed for it.

    duplicate  the same answers as an earlier record           near      almost the same, same node, within minutes
    speeder    answered in less than a third of the usual      straight  one choice for a whole block of questions
    far        its point lies far from the others              outlier   a number far from the others

A finding is {"what", and the values that say why}, all text. It never repeats an answer: what is erased leaves with it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collector.lab.quality_profile import Asked, Cluster, Looked, Profile, Spread, distance_km, place_of, point_of
from collector.lab.tables import number_in, text_at

Finding = dict[str, str]
KINDS = ("duplicate", "near", "speeder", "straight", "far", "outlier")
LEAST_ANSWERED = 6  # short surveys of choices alone are alike without anybody's doing
LEAST_LETTERS = 15  # or one open answer of so many letters: nobody writes it twice
NEAR_MINUTES = 10
NEAR_SHARE, LEAST_NEAR = 0.85, 8  # of the answers are the same, and as many were given
FAR_KM, FAR_MADS = 50.0, 5.0
FAR_STEP = 10  # km; closer than that is nobody's business
MANY_IQR, MANY_Z = 3.0, 5.0
OF_NORMAL = 0.6745  # median distance from the median, in standard deviations of a normal spread


def compared_answers(asked: Asked, looked: Looked) -> dict[str, str]:
    """Return what two records are compared by: answers as text, repeats as JSON, blanks left out."""
    found = {key: text_at(looked.answers, key).strip() for key in asked.compared if key in looked.answers}
    found |= {key: json.dumps(looked.answers[key], sort_keys=True) for key in asked.repeats if looked.answers.get(key)}
    return {key: text for key, text in found.items() if text}


def fingerprint(asked: Asked, answers: Mapping[str, str]) -> bytes | None:
    """Return a hash of what is compared; None where it is too little to tell people apart."""
    is_told = any(len(text) >= LEAST_LETTERS for key, text in answers.items() if key in asked.texts)
    if len(answers) < LEAST_ANSWERED and not is_told:
        return None
    return hashlib.blake2b(json.dumps(sorted(answers.items())).encode(), digest_size=12).digest()


@dataclass(frozen=True)
class Neighbour:
    """A record of the same form and node. n: its log number."""

    id: str
    n: int
    finished_ms: int
    answers: Mapping[str, str]


def near_of(answers: Mapping[str, str], looked: Looked, before: Iterator[Neighbour]) -> Finding | None:
    """Return the first of the neighbours that says almost the same within minutes."""
    for other in before:
        minutes = abs(looked.finished_ms - other.finished_ms) / 60_000
        if minutes <= NEAR_MINUTES and _are_alike(answers, other.answers):
            return {"what": "near", "of": other.id, "minutes": str(round(minutes))}
    return None


def _are_alike(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    keys = one.keys() | other.keys()
    same = sum(1 for key in keys if one.get(key) == other.get(key))
    return min(len(one), len(other)) >= LEAST_NEAR and same >= NEAR_SHARE * len(keys)


def findings_of(asked: Asked, profile: Profile, looked: Looked) -> list[Finding]:
    """Return what is odd in a record by itself: everything but what repeats another record."""
    return [
        *_speeder(profile, looked),
        *_straight(asked, looked),
        *_far(asked, profile, looked),
        *_outliers(asked, profile, looked),
    ]


def _speeder(profile: Profile, looked: Looked) -> Iterator[Finding]:
    if looked.seconds is not None and profile.seconds and looked.seconds * 3 < profile.seconds:
        yield {"what": "speeder", "seconds": str(looked.seconds), "median": str(profile.seconds)}


def _straight(asked: Asked, looked: Looked) -> Iterator[Finding]:
    for block in asked.blocks:
        given = {text_at(looked.answers, key) for key in block}
        if len(given) == 1 and "" not in given:
            yield {"what": "straight", "question": block[0], "questions": str(len(block))}


def _far(asked: Asked, profile: Profile, looked: Looked) -> Iterator[Finding]:
    point, place = point_of(asked, looked), place_of(asked, looked)
    cluster: Cluster | None = profile.clusters.get(place) or profile.clusters.get("")
    if point is None or cluster is None:
        return
    km = distance_km(point, cluster.middle)
    if km > FAR_KM and km > FAR_MADS * cluster.mad_km:
        of = place if place in profile.clusters else ""
        yield {"what": "far", "km": str(round(km / FAR_STEP) * FAR_STEP), "place": of}


def _outliers(asked: Asked, profile: Profile, looked: Looked) -> Iterator[Finding]:
    for key in asked.numbers:
        spread, number = profile.numbers.get(key), number_in(text_at(looked.answers, key))
        if spread is not None and number is not None and _is_out(spread, number):
            yield {"what": "outlier", "question": key, "low": f"{spread.low:g}", "high": f"{spread.high:g}"}


def _is_out(spread: Spread, number: float) -> bool:
    """Tell whether a number is out; where half of all answers are one number, how they spread says nothing."""
    width = spread.high - spread.low
    by_quartiles = width > 0 and not spread.low - MANY_IQR * width <= number <= spread.high + MANY_IQR * width
    by_median = spread.mad > 0 and OF_NORMAL * abs(number - spread.median) / spread.mad > MANY_Z
    return by_quartiles or by_median
