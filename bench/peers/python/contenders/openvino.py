"""The exported graph in OpenVINO on the CPU, in 32 bits."""

import inputs
import numpy as np
import openvino

VERSION = openvino.__version__.split("-")[0]


def model(request):
    core = openvino.Core()
    compiled = core.compile_model(
        core.read_model(request["onnx"]),
        "CPU",
        {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": request["threads"],
        },
    )
    image = np.ascontiguousarray(inputs.read_tensors(request["inputs"])["image"].transpose(0, 3, 1, 2))
    pending = compiled.create_infer_request()
    return lambda: pending.infer({0: image})[0]
