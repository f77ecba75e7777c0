"""A plan is read as it was written, also one of an older version."""

import json
from pathlib import Path

from flows.learning.training_plan import Plan, TrainingRequest, read_plan, training_folder, write_plan
from streetloop.settings import Settings


def test_a_plan_knows_which_class_is_which(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    request = TrainingRequest("night", ("night",), recipe={"epochs": 2}, mapping={"cycle": "bicycle"})
    plan = Plan(request, "d" * 64, 1)
    write_plan(settings, plan)
    assert read_plan(settings, "night") == plan
    assert plan.resumed_as(TrainingRequest("night")).mapping == {"cycle": "bicycle"}


def test_a_plan_of_an_older_version_has_no_mapping(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    write_plan(settings, Plan(TrainingRequest("old"), "d" * 64, 1))
    file = training_folder(settings) / "old.plan.json"
    content = json.loads(file.read_text())
    del content["mapping"]
    file.write_text(json.dumps(content))
    plan = read_plan(settings, "old")
    assert plan is not None
    assert plan.request.mapping == {}
    assert plan.resumed_as(TrainingRequest("old", mapping={"a": "b"})).mapping == {"a": "b"}
