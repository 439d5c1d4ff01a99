"""Contrastive training by itself: numbers of negatives, and updates beside a loop by hand."""

import time

import numpy as np
import torch
from _few_labels_methods import DRAWS
from _image_sets import stored

from sklearn_replearn import ContrastiveTransformer
from sklearn_replearn._dataset.batches import Batch
from sklearn_replearn.augmentations._calling import view
from sklearn_replearn.metrics import linear_probe
from sklearn_replearn.objectives import NTXent
from sklearn_replearn.rows import Images, Tokens


def batches():
    """MNIST: a small batch, the same with a queue, a large one; equal rows seen."""
    train, y, test, y_test = stored("mnist")
    rows = []
    for title, size, queue in (
        ("batch 64", 64, 0),
        ("batch 64, queue of 4,096", 64, 4096),
        ("batch 1,024", 1024, 0),
    ):
        objective = NTXent(temperature=0.2, queue_size=queue)
        encoder = ContrastiveTransformer(
            64, objective=objective, rows=Images((1, 28, 28)), max_epochs=2, batch_size=size
        )
        start = time.process_time()
        codes = encoder.fit(train).transform(train)
        seconds = time.process_time() - start
        test_codes = encoder.transform(test)
        task = codes, y, test_codes, y_test
        few = [linear_probe(*task, n_labels=10, random_state=seed) for seed in range(DRAWS)]
        accuracy = {"all": linear_probe(*task), "100": float(np.mean(few))}
        rows.append({"method": title, "accuracy": accuracy, "seconds": seconds})
        print(rows[-1], flush=True)
    return rows


def steps():
    """Updates beside a loop by hand of the same networks and views, in turn."""
    generator = np.random.RandomState(0)
    kinds = {
        "table 8,192 x 50": (generator.normal(size=(8192, 50)), {}),
        "images 2,048 x 1 x 28 x 28": (
            generator.randint(0, 256, (2048, 784)).astype(np.uint8),
            {"rows": Images((1, 28, 28))},
        ),
        "images 2,048 x 3 x 32 x 32": (
            generator.randint(0, 256, (2048, 3072)).astype(np.uint8),
            {"rows": Images((3, 32, 32))},
        ),
        "tokens 4,096 x 60 of 2,000": (
            generator.randint(1, 2000, (4096, 60)),
            {"rows": Tokens(2000)},
        ),
    }
    rows = []
    for name, (X, parameters) in kinds.items():
        encoder = ContrastiveTransformer(64, max_epochs=3, **parameters)
        longer = ContrastiveTransformer(64, max_epochs=6, **parameters)
        seconds = {"ours": [], "by hand": [], "views": []}
        for _ in range(5):
            fits = []
            for one in (encoder, longer):
                start = time.process_time()
                one.fit(X)
                fits.append(time.process_time() - start)
            seconds["ours"].append(fits[1] - fits[0])
            whole, of_views = by_hand(encoder, X)
            seconds["by hand"].append(whole)
            seconds["views"].append(of_views)
        middle = {key: float(np.median(values)) for key, values in seconds.items()}
        rows.append(
            {
                "rows": name,
                "ours, CPU s": middle["ours"],
                "by hand, CPU s": middle["by hand"],
                "ratio": middle["ours"] / middle["by hand"],
                "share of views": middle["views"] / middle["by hand"],
            }
        )
        print(rows[-1], flush=True)
    return rows


def by_hand(encoder, X):
    """CPU seconds of a loop with the networks of an encoder, and those of its views."""
    model = encoder._model
    rows = torch.from_numpy(model.scaler.scale(X)).float()
    generator = torch.Generator().manual_seed(0)
    network = model.plan.build(model.rows, model.scaler, generator)
    objective = encoder._objective(model.rows, 0)
    views = encoder._views(model.rows, model.scaler)
    heads = objective.heads(network, generator)
    weights = [*network.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, fused=True)
    start = time.process_time()
    for _ in range(encoder.max_epochs):
        for batch in torch.randperm(len(rows), generator=generator).split(encoder.batch_size):
            taken = rows[batch]
            seen = Batch(taken, *(view(make, taken, generator) for make in views))
            optimizer.zero_grad()
            sum(objective.terms(network, heads, seen, generator).values()).backward()
            optimizer.step()
    whole = time.process_time() - start
    start = time.process_time()
    for _ in range(encoder.max_epochs):
        for batch in rows.split(encoder.batch_size):
            for make in views:
                view(make, batch, generator)
    return whole, time.process_time() - start
