import json

from hypothesis import given
from hypothesis import strategies as st

from serve.rollout.statistics.camera_stats import CameraStats, ServedStats, sum_stats
from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.detection_counts import DetectionCounts
from serve.rollout.statistics.evidence import EVERYTHING, Calls, Evidence, Scores

counts = st.integers(0, 10**6)
moments = st.builds(Moments, counts, st.integers(-100, 100), st.integers(0, 100))
calls = st.builds(Calls, counts, counts, counts, counts)
detection_counts = st.builds(DetectionCounts, counts, counts, counts)
served = st.builds(ServedStats, counts, counts, st.integers(0, 1000), counts, counts)
cameras = st.dictionaries(st.sampled_from("abc"), st.builds(CameraStats, served, served, moments, moments))
scores = st.dictionaries(
    st.sampled_from([EVERYTHING, "class:car"]), st.builds(Scores, detection_counts, detection_counts)
)
groups = st.dictionaries(st.sampled_from([EVERYTHING, "class:car", "city:Oslo"]), moments)
evidence = st.builds(
    Evidence,
    counts,
    calls,
    calls,
    moments,
    groups,
    st.tuples(counts, counts),
    moments,
    moments,
    counts,
    scores,
    cameras,
)


@given(evidence, evidence, evidence)
def test_evidence_adds_up_whoever_adds_first(a: Evidence, b: Evidence, c: Evidence) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + Evidence() == a


@given(evidence)
def test_evidence_survives_the_ledger(found: Evidence) -> None:
    assert Evidence.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_a_group_that_one_part_does_not_know_is_kept() -> None:
    one = Evidence(gains={"class:car": Moments.of(0.1)})
    other = Evidence(gains={"class:bus": Moments.of(0.2), "class:car": Moments.of(0.3)})
    found = (one + other).gains
    assert found == {"class:car": Moments.of(0.1, 0.3), "class:bus": Moments.of(0.2)}


def test_evidence_of_before_cameras_were_told_apart_is_still_read() -> None:
    old = Evidence(frames=7, challenger=Calls(3, 1, 0)).as_json()
    del old["scores"], old["cameras"], old["challenger"]["late"]
    assert Evidence.from_json(old) == Evidence(frames=7, challenger=Calls(3, 1, 0))


def test_cameras_add_up() -> None:
    stats = {c: CameraStats(champion=ServedStats(frames=n)) for n, c in enumerate("abc", 1)}
    assert sum_stats(stats).champion.frames == 6
    assert sum_stats({}) == CameraStats()
