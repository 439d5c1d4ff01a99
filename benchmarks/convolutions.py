"""Would two cores pay for convolutions? A step of 256 images of 28 × 28, computed four ways.

Run as ``python benchmarks/convolutions.py [rounds]`` on a machine that does nothing else.
"""

import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from sklearn_replearn import AutoencoderTransformer
from sklearn_replearn.rows import Images

N_ROWS = 256


def gradients(network, rows):
    """Of the summed error of some rows, in the order of the parameters."""
    output = network.output(network.code(rows))
    error = network.likelihood.error(rows, output).sum()
    return torch.autograd.grad(
        error, [*network.encoder.parameters(), *network.decoder.parameters()]
    )


def summed(parts):
    """Sums of gradients, added in the order of the parts."""
    return [sum(each) for each in zip(*parts, strict=True)]


def ways(network, rows, pool):
    """Each way by its name, with the threads that torch has in it."""

    def in_parts(n_parts, go):
        return lambda: summed(go(lambda part: gradients(network, part), rows.chunk(n_parts)))

    def here(*args):
        return list(map(*args))

    def there(*args):
        return list(pool.map(*args))

    return {
        "whole, 1 thread": (1, lambda: gradients(network, rows)),
        "whole, 2 threads of torch": (2, lambda: gradients(network, rows)),
        "2 parts, 1 thread": (1, in_parts(2, here)),
        "2 parts, 2 threads": (1, in_parts(2, there)),
        "4 parts, 1 thread": (1, in_parts(4, here)),
        "4 parts, 2 threads": (1, in_parts(4, there)),
    }


def main(rounds):
    """Print medians, lowest times and whether bits are the same."""
    rng = np.random.default_rng(0)
    images = rng.random((N_ROWS, 28 * 28), dtype=np.float32)
    encoder = AutoencoderTransformer(16, rows=Images((1, 28, 28)), max_epochs=1, device="cpu").fit(
        images
    )
    network = encoder.network_.train()
    rows = torch.from_numpy(images) - 0.5
    seconds, results = {}, {}
    with ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for _ in range(rounds):
            for name, (n_threads, way) in ways(network, rows, pool).items():
                torch.set_num_threads(n_threads)
                begun = time.perf_counter()
                results[name] = way()
                seconds.setdefault(name, []).append(time.perf_counter() - begun)
    first = next(iter(seconds))
    print(
        "| way | median, ms | lowest, ms | ratio of medians | of lowest | bits of the parts on 1 thread |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name, own in seconds.items():
        same = all(
            map(
                torch.equal,
                results[name],
                results[name.replace("2 threads", "1 thread").replace(" of torch", "")],
            )
        )
        print(
            f"| {name} | {1e3 * statistics.median(own):.1f} | {1e3 * min(own):.1f} "
            f"| {statistics.median(seconds[first]) / statistics.median(own):.2f} "
            f"| {min(seconds[first]) / min(own):.2f} | {'same' if same else 'others'} |"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
