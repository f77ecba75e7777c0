# %% [markdown]
# # Your own camera and your own model
#
# From a clip and a model file to counts at a line: does it open, what will it see, where does the line lie, and what
# crosses it. It runs offline in about a minute, without Ray. A clip of the simulated city and the shipped model
# stand in; set `clip` and `weights` to your own. An `rtsp://` address does as well as a file.

# %%
import os
import tempfile
from pathlib import Path

os.environ["YOLO_VERBOSE"] = "false"

from streetloop.city.oracle import Oracle
from streetloop.settings import BASELINE, Settings
from streetloop.video import VideoWriter

folder = tempfile.TemporaryDirectory(prefix="streetloop-own-")
clip, weights = Path(folder.name) / "street.mp4", BASELINE
city = Oracle()
with VideoWriter(clip) as writer:
    for number in range(240):
        street = "sim://larkfield/gantry?seed=3&traffic=busy&size=640x360&fps=8"
        writer.write(city.picture(street, number), number / 8)
settings = Settings(home=Path(folder.name) / "home", model=weights, image_size=416)

# %% [markdown]
# ## The model
#
# A model is an Ultralytics checkpoint or an ONNX file of one of the [known layouts](../docs/models.md). Its graph
# says what it takes and answers. A model without a class that you count is refused before anything runs.

# %%
from train.model.model_file import open_model

model = open_model(settings.model, settings.models)
print(model.version, "knows", ", ".join(model.names))
model.contract.input

# %% [markdown]
# ## The camera
#
# `check_cameras` is `streetloop check`: it opens the camera and the model, and says what would go wrong at `run`.
# Ends of a line are fractions of the picture; `in` is from its left to its right, seen from the first end.
# Classes may be joined under one name.

# %%
from flows.service.camera_check import check_cameras
from streetloop.cameras.camera_file import parse_camera

document = {
    "id": "street",
    "uri": f"file://{clip}?live=0",
    "lines": {"lanes": [[0.27, 0.62], [0.68, 0.50]]},
    "classes": {"light": ["car", "cycle"], "heavy": ["bus", "truck"]},
}
camera = parse_camera(document)
(checked,) = check_cameras([camera], settings)
print(checked.info)
print("problem:", checked.problem)
print("warnings:", [warning.text for warning in checked.warnings])

# %% [markdown]
# ## What the model sees, and where the line lies
#
# The first picture is enough to see whether boxes are where vehicles are, and whether the line crosses the lanes.

# %%
import cv2
from PIL import Image

from streetloop.drawing.boxes import draw_boxes
from streetloop.video import VideoReader
from train.model.predictor import Predictor

predictor = Predictor(model, image_size=settings.image_size)
with VideoReader(str(clip), clip.name) as reader:
    _, picture = next(reader.pictures())
    first = picture.bgr()
drawn = draw_boxes(first, predictor.predict(first, settings.confidence), model.names, with_confidence=True)
height, width = drawn.shape[:2]
ends = [(round(x * width), round(y * height)) for x, y in document["lines"]["lanes"]]
cv2.line(drawn, *ends, (0, 228, 255), 2, cv2.LINE_AA)
Image.fromarray(drawn[:, :, ::-1]).convert("P", palette=Image.Palette.ADAPTIVE, colors=64)

# %% [markdown]
# ## What crosses the line
#
# The pipeline is that of `streetloop run`, with the detector in this process. Every frame is in one account:
# `decoded = detected + gated + dropped + failed`.

# %%
from flows.stream.pipeline import StreamPipeline
from flows.stream.sources.registry import open_source
from serve.detector.client import LocalDetector
from streetloop.clock import SystemClock

clock, detector = SystemClock(), LocalDetector(predictor, settings.track_floor)
sources = [(camera, open_source(camera, clock))]
pipeline = StreamPipeline(
    sources, dict.fromkeys(["champion"], detector).get, settings, clock, names=model.names
)
pipeline.start()
pipeline.wait(1200)
pipeline.close()
status = pipeline.snapshot()["street"]
print(status.account)
print("objects:", dict(status.objects_by_class))
print("lanes:", status.lines["lanes"].as_json())

# %% [markdown]
# ## How good is it here?
#
# `streetloop evaluate WEIGHTS DATASET --map your-class=their-class` measures a model on labels of yours, and
# `streetloop models register WEIGHTS` registers it as a version. A running system does the first over HTTP: see
# [the API](../docs/api.md#evaluations). The same camera for good, in `cameras.yaml`:

# %%
import yaml

print(yaml.safe_dump({"cameras": [document | {"uri": "rtsp://10.0.0.7/street"}]}, sort_keys=False))
detector.close()
folder.cleanup()
