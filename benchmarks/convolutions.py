"""Would a second core pay for convolutions? The gradient of 256 images of 28 x 28, four ways.

    python benchmarks/convolutions.py [rounds]

Encoders of images normalise over the batch, so that a batch cannot be cut into parts for a whole
network; each convolution can: its parts are computed on one thread or on two, and gradients of its
weights are added in the order of the parts, which gives the same bits on any number of threads.
Take a machine that does nothing else; CPU seconds say what it would be there.
"""

import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch.nn import functional as F

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.modules import images
from sklearn_replearn.rows import Images

N_ROWS, N_PARTS = 256, 4


class InParts(torch.autograd.Function):
    """A convolution of 3 x 3 pixels, a part of the batch at a time."""

    @staticmethod
    def forward(ctx, x, weight, bias, stride, go):
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.go = stride, go

        def part(rows):
            with torch.no_grad():
                return F.conv2d(rows, weight, bias, stride, padding=1)

        return torch.cat(list(go(part, x.chunk(N_PARTS))))

    @staticmethod
    def backward(ctx, g):
        x, weight = ctx.saved_tensors
        settings = [len(weight)], list(ctx.stride), [1, 1], [1, 1], False, [0, 0], 1
        wanted = [ctx.needs_input_grad[0], True, True]

        def part(both):
            return torch.ops.aten.convolution_backward(*both, weight, *settings, wanted)

        parts = ctx.go(part, list(zip(g.chunk(N_PARTS), x.chunk(N_PARTS), strict=True)))
        inputs, weights, biases = zip(*parts, strict=True)
        g_in = torch.cat(inputs) if wanted[0] else None
        return g_in, sum(weights), sum(biases), None, None


def gradients(network, rows, convolve):
    """Of the mean error of some rows, in the order of the parameters."""
    before = images._Convolution.forward
    images._Convolution.forward = convolve or before
    try:
        error = network.likelihood.error(rows, network.output(network.code(rows))).mean()
        weights = [*network.encoder.parameters(), *network.decoder.parameters()]
        return torch.autograd.grad(error, weights)
    finally:
        images._Convolution.forward = before


def main(rounds):
    """Print milliseconds, and whether bits are those of one thread."""
    rng = np.random.default_rng(0)
    rows = rng.random((N_ROWS, 28 * 28), dtype=np.float32)
    encoder = AutoencoderTransformer(16, rows=Images((1, 28, 28)), max_epochs=1, device="cpu")
    network = encoder.fit(rows).network_.train()
    rows = torch.from_numpy(rows) - 0.5
    clock, cpu, results = {}, {}, {}
    with ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,)) as pool:

        def in_parts(go):
            return lambda self, x: InParts.apply(x, self.weight, self.bias, self.stride, go)

        ways = {
            ("whole", "1 thread"): None,
            ("whole", "2 threads"): None,
            (f"{N_PARTS} parts", "1 thread"): in_parts(map),
            (f"{N_PARTS} parts", "2 threads"): in_parts(pool.map),
        }
        for _ in range(rounds):
            for way, convolve in ways.items():
                torch.set_num_threads(2 if way == ("whole", "2 threads") else 1)
                begun = time.perf_counter(), time.process_time()
                results[way] = gradients(network, rows, convolve)
                clock.setdefault(way, []).append(1e3 * (time.perf_counter() - begun[0]))
                cpu.setdefault(way, []).append(1e3 * (time.process_time() - begun[1]))
    print("| batch | on | median, ms | lowest, ms | CPU ms of all threads | bits of 1 thread |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (parts, threads), own in clock.items():
        way, single = (parts, threads), (parts, "1 thread")
        same = all(map(torch.equal, results[way], results[single]))
        print(
            f"| {parts} | {threads} | {statistics.median(own):.0f} | {min(own):.0f} "
            f"| {statistics.median(cpu[way]):.0f} | {'same' if same else 'others'} |"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
