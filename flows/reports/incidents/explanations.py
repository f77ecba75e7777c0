"""What an event says of its cause, and what helps."""

from collections.abc import Sequence
from typing import NamedTuple

from streetloop.causes import causes_from_json
from streetloop.ledger.events import Event

_UNSURE = 0.5


class Explanation(NamedTuple):
    """How a kind of event is read.

    Attributes:
        rank: Of several kinds in an incident, the lowest names the cause.
        cause: What it means, without what the event itself says.
        certainty: How sure that is, 0 to 1, where the event says nothing of it.
        done: What the system does by itself.
        todo: What a person should do.
    """

    rank: int
    cause: str
    certainty: float
    done: str
    todo: str


EXPLANATIONS = {
    "store_failed": Explanation(
        0,
        "the object store refused writes",
        0.95,
        "The streams went on; writing was tried again.",
        "Check the object store and its disk.",
    ),
    "flow_failed": Explanation(
        1,
        "an error ended the streams of a worker",
        0.95,
        "The cameras of the worker were stopped.",
        "Restart the run, and keep its messages for a bug report.",
    ),
    "detector_failed": Explanation(
        2,
        "the detector gives no answers",
        0.9,
        "The frames were counted as failed; nothing was detected or counted in them.",
        "Read the cause; try the model with `streetloop check --model`.",
    ),
    "detector_restarted": Explanation(
        2,
        "the detector's process died",
        0.9,
        "Another detector was started; its frames were asked again.",
        "Look for lack of memory; after a promotion, promote the version before.",
    ),
    "control_restarted": Explanation(
        3,
        "the control plane's process died",
        0.9,
        "It was started again; the cameras ran on.",
        "Look for lack of memory on its node.",
    ),
    "app_restarted": Explanation(
        3,
        "the app's process died",
        0.9,
        "Another was started; API and app did not answer meanwhile. The streams went on.",
        "Look for lack of memory.",
    ),
    "worker_restarted": Explanation(
        3,
        "a worker's process died",
        0.9,
        "Another worker took over its cameras.",
        "Look for lack of memory; lower cameras_per_worker.",
    ),
    "sink_failed": Explanation(
        4,
        "something beside the streams could not be written",
        0.8,
        "The streams went on.",
        "Read the cause, and mend what it names.",
    ),
    "upload_failed": Explanation(
        4,
        "recorded video does not reach the object store",
        0.9,
        "It waits in the spool, and is uploaded later.",
        "Check the object store and its disk.",
    ),
    "recording_failed": Explanation(
        6, "a camera's video is not recorded", 0.9, "Detection went on.", "Look for a full spool or disk."
    ),
    "sink_away": Explanation(
        4,
        "an event sink took no events",
        0.9,
        "Events wait for it for a week.",
        "Check the sink with `streetloop sinks test`.",
    ),
    "outbox_overflow": Explanation(
        4,
        "an event sink was away for too long",
        0.95,
        "Its oldest events were dropped.",
        "Check the sink with `streetloop sinks test`.",
    ),
    "camera_lost": Explanation(
        5,
        "the camera did not answer",
        0.7,
        "The reader tried to connect again and again.",
        "Check the camera, its power and its network.",
    ),
    "too_fast": Explanation(
        7,
        "the street is too fast for the camera's frame rate",
        0.9,
        "Counting went on; crossings may be missing.",
        "Raise the camera's fps to the rate that the cause names.",
    ),
    "unknown_class": Explanation(
        8,
        "the model lacks a class that the camera counts",
        1.0,
        "Nothing is counted of that class.",
        "Change the camera's classes, or the model.",
    ),
    "drift": Explanation(
        6,
        "the camera differs from its own past",
        _UNSURE,
        "Its frames are preferred for labeling.",
        "Look at the camera's picture in the drift report.",
    ),
}
_PICTURE = Explanation(
    6,
    "the picture or the stream has a fault",
    0.8,
    "Such periods are neither drift nor reference.",
    "Look at the camera's picture, and check camera and encoder.",
)


_STREET = Explanation(
    7,
    "something unusual happened on the street",
    0.8,
    "It was written down with a picture.",
    "Look at the evidence; mark the event as false if it was none.",
)


def explanation_of(event: Event) -> Explanation:
    """How an event is read: what a rule found is of the street, other kinds are of the picture."""
    known = _PICTURE if event.rule_version is None else _STREET
    return EXPLANATIONS.get(event.kind, known)


def cause_of(events: Sequence[Event]) -> tuple[str, float]:
    """The likely cause of an incident, and how sure it is, 0 to 1.

    Args:
        events: Its events; not empty.
    """
    first = min(events, key=lambda event: (explanation_of(event).rank, event.started_at))
    known = explanation_of(first)
    certainty = known.certainty if first.certainty is None else first.certainty
    if first.kind == "drift":
        causes = causes_from_json(first.detail.get("causes", []))
        if causes:
            probability = causes[0].probability
            return f"{known.cause}: most likely {causes[0].name}", probability or _UNSURE
    if first.kind not in EXPLANATIONS:
        return f"{known.cause}: {first.kind}", certainty
    return (known.cause if first.cause is None else f"{known.cause}: {first.cause}"), certainty


def steps_of(events: Sequence[Event]) -> tuple[list[str], list[str]]:
    """What was done, and what is to be done; the latter only for what goes on or comes back."""
    ranked = sorted(events, key=lambda event: (explanation_of(event).rank, event.kind))
    done = list(dict.fromkeys(explanation_of(event).done for event in ranked))
    people = sorted({event.acknowledged_by for event in events if event.acknowledged_by})
    done += [f"{name} took note of it." for name in people]
    return done, list(dict.fromkeys(explanation_of(event).todo for event in ranked))
