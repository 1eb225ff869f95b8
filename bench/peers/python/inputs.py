"""What contenders compute on: the files that the bench leaves for them, and what of the network is no weight."""

import json
from pathlib import Path

import numpy as np

STAGES = ("encoder1", "encoder2", "encoder3")
DECODERS = ("decoder3", "decoder2", "decoder1")
GROUPS = 8
EPSILON = 1e-3


def read_tensors(path):
    """The tensors of a safetensors file: an eight-byte length, a JSON header, the numbers."""
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }
