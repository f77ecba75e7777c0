from streetloop.causes import Cause, causes_from_json, causes_to_json, causes_to_record, evidence_to_json

NIGHT = Cause("night", 0.75, ("darker", "noisier"))


def test_views_have_name_and_probability() -> None:
    assert causes_to_json([NIGHT]) == [{"name": "night", "probability": 0.75}]
    assert evidence_to_json([NIGHT]) == {"night": ["darker", "noisier"]}


def test_a_record_is_read_as_it_was_written() -> None:
    causes = [NIGHT, Cause("fog")]
    assert causes_from_json(causes_to_record(causes)) == causes


def test_a_probability_that_is_no_number_is_null() -> None:
    assert causes_to_json([Cause("fog", float("nan"))]) == [{"name": "fog", "probability": None}]
