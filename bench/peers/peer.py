"""What the Python scripts share: the inputs that `pnpm bench model` or `pnpm bench train` left, timing, the row.

Run `pnpm bench model --size N` first; it writes bench/results/local/inputs-NxN/inputs.safetensors. What a script prints
may be appended to bench/results/by-hand.jsonl: `pnpm bench report` shows it beside the other peers.
"""

import argparse
import json
import resource
import statistics
import time
from pathlib import Path

import numpy as np

STAGES = ("encoder1", "encoder2", "encoder3")
DECODERS = ("decoder3", "decoder2", "decoder1")
GROUPS = 8
EPSILON = 1e-3


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=592, help="rows and columns, a multiple of 8")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--train", action="store_true", help="a step of training instead of inference")
    return parser.parse_args()


def read(size, name, bench):
    path = Path(__file__).parents[1] / "results" / "local" / f"inputs-{size}x{size}" / name
    if not path.exists():
        raise SystemExit(f"{path} is missing: run `pnpm bench {bench} --size {size}` first")
    return path.read_bytes()


def read_inputs(size):
    """The tensors of a safetensors file: an eight-byte length, a JSON header, the numbers."""
    data = read(size, "inputs.safetensors", "model")
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def read_expected(size, discipline):
    """What our reference gives: probabilities, or the losses of the first steps."""
    return np.frombuffer(read(size, f"{discipline}.f32", discipline), np.float32)


def error_of_gradients(size, shapes, moments):
    """The largest error of a parameter's gradient, relative to its largest element (bench/verify.ts)."""
    expected = read_expected(size, "moments")
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    wanted = np.split(expected, ends[:-1])
    least = 1e-3 * max(np.abs(w).max() for w in wanted)
    pairs = zip(moments, wanted, strict=True)
    return float(max(np.abs(np.asarray(m).ravel() - w).max() / max(np.abs(w).max(), least) for m, w in pairs))


def report(name, version, options, run, moments=None):
    """Compares what `run` gives with ours, times it, and prints a row as `pnpm bench --json` has it.

    `moments` gives Adam's first moments in the order and layout of the inputs: a tenth of the gradients after one step.
    """
    discipline = "train" if options.train else "model"
    expected = read_expected(options.size, discipline)
    wrong = None
    if options.train:
        first = run()
        shapes = [w.shape for key, w in read_inputs(options.size).items() if key not in ("image", "target")]
        error = error_of_gradients(options.size, shapes, moments())
        if not error <= 5e-3:
            wrong = f"a gradient differs by {error:.1e} of the largest element"
        output = np.array([first, run()], np.float32)
    else:
        output = np.asarray(run()).ravel()
    difference = float(np.abs(output - expected).max())
    if not difference <= 2e-4 * float(np.abs(expected).max()):
        wrong = f"its output differs by {difference:.1e}"
    row = {
        "bench": discipline,
        "input": [options.size, options.size, 3],
        "name": f"{name} {version}",
        "threads": options.threads,
        "max_abs_diff": difference,
    }
    if wrong is not None:
        row |= {"status": "wrong", "reason": wrong}
    else:
        times = []
        for _ in range(3):
            run()
        while len(times) < 3 or sum(times) < options.seconds * 1000:
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) * 1000)
        median = statistics.median(times)
        row |= {
            "runs": len(times),
            "median_ms": round(median, 3),
            "mad_ms": round(statistics.median(abs(t - median) for t in times), 3),
            "min_ms": round(min(times), 3),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
    print(json.dumps(row))
