"""Do dask, ray and Spark give the bits of one process, and how fast?

    python benchmarks/engines.py

Two models are fitted to 5,000 rows of a table of categories, numbers and dates with missing cells.
Parts of a larger table are scored by one process, and by two workers of each engine on this
machine, in turn; the workers have started and have scored the table once before, and what they
give is compared with what one process gives, to the last bit. So are the scores of a search.
Engines that are not installed are left out. It writes results/engines.json and
results/engines.md, in about five minutes on two cores.
"""

import argparse
import importlib.metadata
import importlib.util
import logging
import os
import pickle
import platform
import sys
import tempfile
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import torch
from _markdown import table_of
from _record import RESULTS, write
from sklearn.model_selection import GridSearchCV

from sklearn_replearn import AutoencoderTransformer, OutlierDetector, VAETransformer, save

GRID = {"latent_dim": [2, 4, 8]}
PACKAGES = {"dask": "distributed", "ray": "ray", "Spark": "pyspark"}


def table(n, seed):
    random = np.random.default_rng(seed)
    X = pd.DataFrame(random.normal(size=(n, 8)), columns=[f"x{j}" for j in range(8)])
    X["shop"] = random.choice(["north", "south", "web"], n)
    X["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 90, n), "D")
    X.loc[::7, "x0"] = np.nan
    X.loc[3::11, "shop"] = None
    return X.assign(row=np.arange(n))


def scored(rows, models):
    """Codes and p-values of rows that have a number."""
    vae, detector = models
    cells = rows.drop(columns="row")
    found = pd.DataFrame(vae.transform(cells), rows.index, ["code_0", "code_1"])
    found["p_value"] = detector.p_values(cells)
    return found.assign(row=rows["row"])


class Alone:
    """One process, a file at a time."""

    def __init__(self, models):
        self.models = models

    def score(self, folder):
        files = sorted(Path(folder).iterdir())
        return pd.concat([scored(pd.read_parquet(each), self.models) for each in files])

    def stop(self):
        pass


class Dask:
    backend = "dask"

    def __init__(self, models):
        from dask.distributed import Client, LocalCluster

        self.models = models
        self.cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        self.client = Client(self.cluster)

    def score(self, folder):
        import dask.dataframe as dd

        frame = dd.read_parquet(folder)
        empty = scored(frame.head(1), self.models)[:0]
        return frame.map_partitions(scored, self.models, meta=empty).compute()

    def stop(self):
        self.client.close()
        self.cluster.close()


class Ray:
    backend = "ray"

    def __init__(self, models):
        import ray
        from ray.util.joblib import register_ray

        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        register_ray()
        self.models = ray.put(models)

    def score(self, folder):
        import ray

        ray.data.DataContext.get_current().enable_progress_bars = False

        def of(rows, models):
            return scored(rows, ray.get(models))

        blocks = ray.data.read_parquet(folder)
        return blocks.map_batches(of, fn_args=[self.models], batch_format="pandas").to_pandas()

    def stop(self):
        import ray

        ray.shutdown()


class Spark:
    backend = None

    def __init__(self, models):
        from pyspark.sql import SparkSession

        os.environ["PYSPARK_PYTHON"] = sys.executable
        session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", False)
        self.spark = session.config("spark.sql.session.timeZone", "UTC").getOrCreate()
        self.spark.sparkContext.setLogLevel("ERROR")
        self.models = models

    def score(self, folder):
        models, schema = self.models, "code_0 double, code_1 double, p_value double, row long"

        def of(frames):
            for rows in frames:
                yield scored(rows, models)

        return self.spark.read.parquet(folder).mapInPandas(of, schema).toPandas()

    def stop(self):
        self.spark.stop()


ENGINES = {"dask": Dask, "ray": Ray, "Spark": Spark}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    sample = table(5_000, 0).drop(columns="row")
    models = (
        VAETransformer(2, max_epochs=5, device="cpu").fit(sample),
        OutlierDetector().fit(sample),
    )
    search = GridSearchCV(AutoencoderTransformer(max_epochs=5, device="cpu"), GRID, cv=3)
    record = {"machine": f"{os.cpu_count()} cores", "Python": platform.python_version()}
    record |= {"rows": args.rows, "models": sizes(models), "engines": {}}
    start = time.perf_counter()
    wanted = search.fit(sample).cv_results_["mean_test_score"]
    record["search alone"] = round(time.perf_counter() - start, 2)
    with tempfile.TemporaryDirectory() as folder:
        X = table(args.rows, 1)
        for number, some in enumerate(np.array_split(np.arange(args.rows), 8)):
            X.iloc[some].to_parquet(f"{folder}/{number}.parquet")
        here = Alone(models)
        whole = here.score(folder)
        for name, engine in ENGINES.items():
            if importlib.util.find_spec(PACKAGES[name]):
                found = measured(engine, models, here, folder, whole, search, sample, wanted, args)
                version = importlib.metadata.version(PACKAGES[name])
                record["engines"][name] = {"version": version, **found}
                print(name, found, flush=True)
    write("engines", record, markdown, args.results)


def sizes(models):
    found = {}
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            save(model, f"{folder}/model")
            saved = os.path.getsize(f"{folder}/model")
        pickled = len(pickle.dumps(model))
        found[type(model).__name__] = {"pickle": pickled, "file of save": saved}
    return found


def measured(engine, models, here, folder, whole, search, sample, wanted, args):
    start = time.perf_counter()
    there = engine(models)
    there.score(folder)
    found = {
        "seconds until the first result": round(time.perf_counter() - start, 2),
        "alone": [],
        "there": [],
    }
    for _ in range(args.repeats):
        for name, each in (("alone", here), ("there", there)):
            start = time.perf_counter()
            result = each.score(folder)
            found[name].append(round(time.perf_counter() - start, 3))
    found["same bits"] = same(result, whole)
    if engine.backend:
        start = time.perf_counter()
        with joblib.parallel_config(engine.backend):
            search.fit(sample)
        found["seconds of the search"] = round(time.perf_counter() - start, 2)
        scores = search.cv_results_["mean_test_score"]
        found["same scores"] = bool(np.array_equal(scores, wanted))
    there.stop()
    return found


def same(found, whole):
    found, whole = (each.sort_values("row", ignore_index=True) for each in (found, whole))
    return bool((found[whole.columns] == whole).all(axis=None))


def markdown(record):
    rows = []
    for name, each in record["engines"].items():
        alone, there = (record["rows"] / np.median(each[way]) for way in ("alone", "there"))
        ratio = np.median(np.array(each["there"]) / np.array(each["alone"]))
        row = {
            "engine": f"{name} {each['version']}",
            "start and first time, s": f"{each['seconds until the first result']:.1f}",
        }
        row |= {"rows/s, two workers": f"{there:,.0f}", "rows/s, one process": f"{alone:,.0f}"}
        row |= {"time there / alone": f"{ratio:.2f}", "same bits": yes(each["same bits"])}
        row["search, s"] = each.get("seconds of the search", "not tried")
        row["same scores"] = yes(each.get("same scores"))
        rows.append(row)
    stored = [
        {"model": name, **{way: f"{size / 1000:.0f} kB" for way, size in found.items()}}
        for name, found in record["models"].items()
    ]
    return "\n".join(
        [
            "# Engines",
            "",
            f"{record['machine']}, shared with other work, Python {record['Python']}; "
            f"{record['rows']:,} rows of 10 columns in 8 Parquet files, read, encoded and given "
            "p-values.",
            "",
            table_of(rows),
            "",
            f"The search of nine fits took {record['search alone']:.1f} s in one process.",
            "",
            table_of(stored),
            "",
        ]
    )


def yes(found):
    return {True: "yes", False: "no", None: ""}[found]


if __name__ == "__main__":
    main()
