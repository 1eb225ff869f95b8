"""A contender in Python: a request a line on standard input, an answer a line on standard output, both in JSON.

bench/contenders/protocol.ts lists them. A contender is a module in contenders/ with one function or more:

    model(request) -> run             run() gives the probabilities
    train(request) -> step, moments   step() gives the loss; moments() Adam's first moments, in the order of the weights
    convolution(request) -> run       run() gives the image that comes out

and VERSION. Whatever a library prints goes to stderr.
"""

import base64
import importlib
import json
import os
import resource
import signal
import sys
import time

import numpy as np


def encoded(array):
    return base64.b64encode(np.ascontiguousarray(array, np.float32).tobytes()).decode()


class Server:
    """Loads a contender, runs it when asked, and tells how long that took and what it needed."""

    def answer(self, request):
        return getattr(self, request["kind"].replace(" ", "_"))(request)

    def load(self, request):
        contender = importlib.import_module(f"contenders.{request['contender']}")
        self.calls = 1
        if request["discipline"] == "train":
            self.once, self.moments_of = contender.train(request)
        else:
            self.once = contender.model(request)
        return {"kind": "loaded", "version": contender.VERSION}

    def load_convolution(self, request):
        contender = importlib.import_module(f"contenders.{request['contender']}")
        self.calls = request["calls"]
        self.once = contender.convolution(request)
        return {"kind": "loaded", "version": contender.VERSION}

    def run(self, request):
        if request["wantsOutput"]:
            return {"kind": "ran", "ms": [], "output": encoded(self.once())}
        ms = []
        for _ in range(request["runs"]):
            start = time.perf_counter()
            for _ in range(self.calls):
                self.once()
            ms.append((time.perf_counter() - start) * 1000)
        return {"kind": "ran", "ms": ms}

    def moments(self, _):
        return {"kind": "moments", "moments": [encoded(moment) for moment in self.moments_of()]}

    def memory(self, _):
        return {"kind": "memory", "peakRssMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main():
    # Ctrl-C reaches every process of a terminal; the bench ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    server = Server()
    for line in sys.stdin:
        try:
            answer = server.answer(json.loads(line))
        except Exception as error:
            lines = str(error).strip().splitlines()
            reason = lines[0] if lines else type(error).__name__
            answer = {"kind": "failed", "reason": reason, "notInstalled": isinstance(error, ModuleNotFoundError)}
        try:
            print(json.dumps(answer), file=answers, flush=True)
        except BrokenPipeError:
            # The bench was killed and nobody waits. An ordinary exit would try to write the rest once more, and complain.
            os._exit(0)


if __name__ == "__main__":
    main()
