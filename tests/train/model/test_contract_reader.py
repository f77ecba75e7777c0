"""What a model takes and answers is read from its file; each case is one that people bring."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from streetloop.errors import ModelUnsupported
from tests.support.samples.tiny_model import NAMES, detector_output, write_tiny_model
from train.model.contract import ModelContract, ModelInput, OutputLayout
from train.model.contract_reader import read_contract

ONE_CAR = detector_output((32, 32, 20, 10, 0, 0.9))
_ROWS = np.zeros((300, 6), np.float32)
_FREE = ("batch", "height", "width")


def test_a_usual_export_is_read_as_it_is(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.onnx", ONE_CAR)
    assert read_contract(path) == ModelContract(NAMES, ModelInput(stride=32), OutputLayout.ANCHORS)


@pytest.mark.parametrize(
    "size", [(1, 640, 640), (1, 320, 320), (1, 384, 640), (4, 640, 640), ("batch", 64, "width"), _FREE]
)
def test_fixed_and_free_sides_are_told_apart(
    size: tuple[int | str, int | str, int | str], tmp_path: Path
) -> None:
    found = read_contract(write_tiny_model(tmp_path / "m.onnx", ONE_CAR, size=size)).input
    expected = tuple(side if isinstance(side, int) else None for side in size)
    assert (found.batch, found.height, found.width) == expected


def test_half_precision_is_read(tmp_path: Path) -> None:
    assert read_contract(write_tiny_model(tmp_path / "m.onnx", ONE_CAR, half=True)).input.dtype == "float16"


@pytest.mark.parametrize(
    "names",
    [
        "{0: 'car', 1: 'bus'}",
        "['car', 'bus']",
        "{'0': 'car', '1': 'bus'}",
        '{"0": "car", "1": "bus"}',
        '["car","bus"]',
    ],
)
def test_names_are_read_in_every_form_that_exporters_write(names: str, tmp_path: Path) -> None:
    assert (
        read_contract(write_tiny_model(tmp_path / "m.onnx", ONE_CAR, metadata={"names": names})).names
        == NAMES
    )


def test_names_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    metadata = {"names": json.dumps({"1": "bus", "0": "car"})}
    assert read_contract(write_tiny_model(tmp_path / "m.onnx", ONE_CAR, metadata=metadata)).names == NAMES


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (None, "does not name its classes"),
        ("", "does not name its classes"),
        ("{0: 'car', 2: 'bus'}", "class 1 has no name"),
        ("{1: 'car', 2: 'bus'}", "class 0 has no name"),
        ("{0: 'car', 1: ''}", "class 1 has no name"),
        ("{0: 'car', 1: 'car'}", "'car' twice, for the classes 0 and 1"),
        ("{0: 'car', 0: 'bus'}", "class 0 2 times"),
        ("{'0': 'car', 0: 'bus', 1: 'van'}", "class 0 2 times"),
        ('{"0": "car", "1": "van", "1": "bus"}', "class 1 2 times"),
        ("{'a': 'car'}", "no form that is known"),
        ("car, bus", "no form that is known"),
        ("[['car'], ['bus']]", "by something else than text"),
        ("{0: 'car', 1: None}", "by something else than text"),
        ("[" * 10_000, "no form that is known"),
        ("{0: 'car\\nbus', 1: 'van'}", "class 0 has a line break"),
        ('["car", "b\\u2028us"]', "class 1 has a line break"),
        ("['car', 'b\\x07us']", "class 1 has a line break"),
    ],
)
def test_names_that_do_not_say_what_a_class_is_are_refused(
    names: str | None, words: str, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "m.onnx", ONE_CAR, metadata={"names": names})
    with pytest.raises(ModelUnsupported, match=words) as refused:
        read_contract(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "pixels"),
    [("32", 32), ("64", 64), ("32.0", 32), ("[8, 16, 32]", 32), ("(8.0, 64.0)", 64), (None, 64)],
)
def test_the_stride_is_the_largest_that_the_file_names_and_otherwise_fits_all(
    text: str | None, pixels: int, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "m.onnx", ONE_CAR, metadata={"stride": text})
    assert read_contract(path).input.stride == pixels


@pytest.mark.parametrize("task", [None, "", "Detect"])
def test_a_task_that_is_not_named_is_detection(task: str | None, tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.onnx", ONE_CAR, metadata={"task": task})
    assert read_contract(path).names == NAMES


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(
    ("answer", "metadata", "layout"),
    [
        (np.zeros((6, 8400)), {}, OutputLayout.ANCHORS),
        (np.zeros((25200, 7)), {}, OutputLayout.OBJECTNESS),
        (_ROWS, {"end2end": "True"}, OutputLayout.SELECTED),
        (_ROWS, {"end2end": "true"}, OutputLayout.SELECTED),
        (_ROWS, {"args": "{'nms': True}"}, OutputLayout.SELECTED),
        (_ROWS, {"names": "['car', 'bus', 'van']"}, OutputLayout.SELECTED),
        (_ROWS, {"names": "['car']"}, OutputLayout.SELECTED),
        (np.zeros((25200, 6)), {"names": "['car']"}, OutputLayout.OBJECTNESS),
    ],
)
def test_the_layout_follows_from_the_shape_and_the_metadata(
    answer: np.ndarray, metadata: dict[str, str], layout: OutputLayout, declared: bool, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "m.onnx", answer.astype("f4"), metadata=metadata, declared=declared)
    assert read_contract(path).layout is layout


@pytest.mark.parametrize(
    ("answer", "metadata"), [(_ROWS, {}), (_ROWS, {"head": "RTDETRDecoder", "names": "['a', 'b', 'c']"})]
)
def test_rt_detr_is_refused_by_name(answer: np.ndarray, metadata: dict[str, str], tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.onnx", answer, metadata=metadata)
    with pytest.raises(ModelUnsupported, match="the layout of RT-DETR"):
        read_contract(path)


def test_nms_of_an_export_answers_for_as_many_images_as_it_was_exported_for(tmp_path: Path) -> None:
    # Its loop over the images was unrolled: further images would come back without a box.
    metadata = {"args": "{'nms': True}", "batch": "2"}
    path = write_tiny_model(tmp_path / "m.onnx", _ROWS, metadata=metadata)
    assert read_contract(path).input.batch == 2
    assert read_contract(write_tiny_model(path, _ROWS, metadata={"end2end": "True"})).input.batch is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.zeros(6), "not that of a detector"),
        (np.zeros((9, 8400)), r"names 2 classes.*\(\?, 9, 8400\)"),
        (np.zeros((4, 8400)), "no known detector"),
    ],
)
def test_another_answer_is_refused_with_its_shape(answer: np.ndarray, words: str, tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.onnx", answer.astype("f4"))
    with pytest.raises(ModelUnsupported, match=words):
        read_contract(path)


def test_images_with_their_channels_last_are_refused(tmp_path: Path) -> None:
    """As exports of TensorFlow have them; with free sides nothing else tells them apart."""
    path = write_tiny_model(tmp_path / "m.onnx", ONE_CAR)
    model = onnx.load(path)
    sides = model.graph.input[0].type.tensor_type.shape.dim
    sides[1].dim_param, sides[3].dim_value = "height", 3
    onnx.save(model, path)
    with pytest.raises(ModelUnsupported, match=r"takes images \(\?, \?, \?, 3\)"):
        read_contract(path)


def test_images_of_another_form_are_refused_with_their_shape(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.onnx", ONE_CAR)
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1
    onnx.save(model, path)
    with pytest.raises(ModelUnsupported, match=r"takes images \(\?, 1, \?, \?\)"):
        read_contract(path)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 3
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    onnx.save(model, path)
    with pytest.raises(ModelUnsupported, match="uint8"):
        read_contract(path)


def test_a_network_that_the_runtime_does_not_know_is_refused_before_it_runs(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.onnx", ONE_CAR)
    model = onnx.load(path)
    model.graph.node[0].op_type = "Teleport"
    onnx.save(model, path)
    with pytest.raises(ModelUnsupported, match=r"ONNX Runtime refuses it: .*Teleport") as refused:
        read_contract(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("opset", r"is of opset 99, and this ONNX Runtime knows up to \d+; export it with opset=\d+"),
        ("ir_version", r"is of ONNX's format 99, and this ONNX Runtime knows up to \d+; update onnxruntime"),
        ("domain", r"has the operation com\.nvidia:EfficientNMS, which ONNX Runtime refuses as unknown"),
    ],
)
def test_what_the_runtime_is_too_old_for_is_told_in_our_words(field: str, words: str, tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.onnx", ONE_CAR)
    model = onnx.load(path)
    if field == "opset":
        model.opset_import[0].version = 99
    elif field == "ir_version":
        model.ir_version = 99
    else:
        model.opset_import.append(onnx.helper.make_opsetid("com.nvidia", 1))
        model.graph.node[0].domain, model.graph.node[0].op_type = "com.nvidia", "EfficientNMS"
    onnx.save(model, path)
    with pytest.raises(ModelUnsupported, match=rf"m\.onnx: {words}") as refused:
        read_contract(path)
    assert "onnxruntime_src" not in str(refused.value)


def test_text_for_images_is_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.onnx", ONE_CAR)
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.STRING
    onnx.save(model, path)
    with pytest.raises(ModelUnsupported, match=r"takes images of the type tensor\(string\); export it with"):
        read_contract(path)


@pytest.mark.parametrize("size", [(0, 640, 640), (1, 8, 8), (1, 65536, 65536), ("batch", 640, 16)])
def test_images_that_no_camera_has_are_refused(size: tuple[int | str, int, int], tmp_path: Path) -> None:
    with pytest.raises(ModelUnsupported, match=r"at least one, with sides of 32 to 8192 pixels"):
        read_contract(write_tiny_model(tmp_path / "m.onnx", ONE_CAR, size=size))
