"""The outcome of an evaluation goes to JSON as plain numbers."""

import json

from saccade.metrics.detection_result import ClassPrecision, DetectionResult, PrecisionRow
from saccade.metrics.intervals import Estimate


def test_a_result_is_plain_json_with_none_for_what_is_undefined() -> None:
    row = ClassPrecision(
        name="cell",
        num_objects=0,
        ap=None,
        ap50=None,
        ap75=None,
        precision=0.5,
        recall=None,
        detections_per_object=None,
    )
    result = DetectionResult(
        n=3,
        metrics={"ap": Estimate(0.5, 0.4, 0.6)},
        per_class=(row,),
        precision_recall=(PrecisionRow(recall=0.0, precision=1.0),),
    )

    found = json.loads(json.dumps(result.to_json(), allow_nan=False))

    assert found["n"] == 3
    assert found["metrics"] == {"ap": {"value": 0.5, "low": 0.4, "high": 0.6}}
    assert found["per_class"][0]["name"] == "cell"
    assert found["per_class"][0]["ap"] is None
    assert found["precision_recall"] == [{"recall": 0.0, "precision": 1.0}]
