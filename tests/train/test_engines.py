"""Engines give the same bytes, whatever ends or joins while they train: real processes, really ended."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

import pipeline
from pipeline.data.sources import write
from pipeline.tables.stored import Store
from pipeline.config.errors import ConfigError
from pipeline.train import engines
from pipeline.train.engines import Here, engine
from pipeline.train.queue import jobs, train_all
from pipeline.train.runs import train
from tests.networks import network
from tests.train.toy import a_plan

ROOT = Path(pipeline.__file__).parent.parent
OTHER = network({"Dense": {"units": 4}}, head=[{"Activation": "softmax"}])
PLANS = [a_plan(seeds=4), a_plan(seeds=4, spec=OTHER) | {"experiment": "another"}]


def content(store):
    return {path.name: path.read_bytes() for path in store.folder.glob("*/*.json")}


@pytest.fixture(scope="module")
def expected(arrays, tmp_path_factory):
    """The store that the stages leave."""
    store = Store(tmp_path_factory.mktemp("stages"))
    for plan in PLANS:
        train(plan, arrays, store, threads=1)
    return content(store)


@pytest.fixture
def folder(arrays, tmp_path, monkeypatch):
    """A folder to train in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    write(arrays["tables"], Path("data/tables.npz"))
    return tmp_path


def test_processes_of_this_machine_give_the_same_bytes_also_after_one_was_ended(arrays, folder, expected):
    class Disturbed(Here):
        def results(self, *given):
            others = set(multiprocessing.active_children())
            for number, found in enumerate(super().results(*given)):
                yield found
                if number == 0:
                    for process in set(multiprocessing.active_children()) - others:
                        os.kill(process.pid, signal.SIGKILL)

    store = Store("store")
    with pytest.raises(RuntimeError, match="a process that trained was ended .* what has finished is stored"):
        train_all(PLANS, arrays, store, Disturbed(2))
    before = store.count()
    assert 0 < before < len(expected)
    assert train_all(PLANS, arrays, store, Here(2)) == len(expected) - before
    assert content(store) == expected


@pytest.mark.slow
def test_fresh_processes_take_the_place_of_those_that_did_many_jobs(arrays, folder, expected, monkeypatch):
    monkeypatch.setattr(engines, "JOBS_A_PROCESS", 2)
    store, seen = Store("store"), []

    class Watched(Here):
        def _results(self, jobs, store):
            seen.append(len(jobs))
            yield from super()._results(jobs, store)

    assert train_all(PLANS, arrays, store, Watched(2)) == len(expected) == store.count()
    assert max(seen) == 4 < sum(seen) and content(store) == expected


@pytest.mark.slow
def test_a_fresh_clone_without_a_store_trains(arrays, folder):
    store = Store("store")
    job = next(jobs(PLANS, arrays, store))
    [(_, done)] = Here(1).results([job], arrays, store)
    assert set(done["records"]) == {key for key, *_ in job.runs} and store.count() == len(job.runs)


# --- a cluster ---------------------------------------------------------------------------------

@pytest.fixture
def cluster():
    """A scheduler without workers."""
    with LocalCluster(n_workers=0, processes=True, dashboard_address=None) as cluster:
        yield cluster


@pytest.fixture
def worker(cluster, folder):
    """Starts a worker process of the cluster, as a person does; all are ended afterwards."""
    started = []

    def start(path=""):
        env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [path, os.environ["PYTHONPATH"]]))}
        count = len(cluster.scheduler_info["workers"])
        log = open(f"worker_{len(started)}.log", "wb")
        started.append((subprocess.Popen(
            [sys.executable, "-m", "dask", "worker", cluster.scheduler_address, "--no-nanny", "--nthreads", "1",
             "--no-dashboard"], env=env, stdout=log, stderr=log), log))
        with Client(cluster) as client:
            client.wait_for_workers(count + 1, timeout=120)
        return started[-1][0]

    yield start
    for process, log in started:
        process.kill()
        process.wait()
        log.close()


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes_while_one_worker_dies_and_another_joins(
        arrays, folder, cluster, worker, expected):
    first, done = worker(), []
    store = Store("store")
    with engine(cluster.scheduler_address) as found:
        assert "workers 1" in str(found)
        results = found.results

        def disturbed(*given):
            for one in results(*given):
                done.append(one)
                yield one
                if len(done) == 1:
                    worker()
                    while not any(found.client.processing().values()):
                        time.sleep(0.01)
                    first.kill()

        found.results = disturbed
        assert train_all(PLANS, arrays, store, found) == len(expected)
    assert first.wait() == -signal.SIGKILL and len(done) >= 4
    assert content(store) == expected


@pytest.mark.slow
def test_the_command_trains_on_a_cluster_as_a_person_calls_it(folder, cluster, worker, expected):
    worker()
    Path("plan").mkdir()
    for plan in PLANS:
        Path(f"plan/{plan['experiment']}.json").write_text(json.dumps(plan))
    done = subprocess.run([sys.executable, "-m", "pipeline.train.missing"], text=True, capture_output=True, check=False,
                          env=os.environ | {"CLUSTER": cluster.scheduler_address})
    assert done.returncode == 0, done.stderr
    assert f"{len(expected)} runs trained" in done.stdout and content(Store()) == expected


def other_version(folder):
    """A folder in which a package says that it is of another version."""
    about = Path(folder).absolute() / "other/keras-0.1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: keras\nVersion: 0.1\n")
    return str(about.parent)


@pytest.mark.slow
def test_a_worker_of_other_versions_is_let_go_and_the_others_do_its_jobs(
        arrays, folder, cluster, worker, expected, capsys):
    wrong = worker(other_version(folder))
    worker()
    store = Store("store")
    with engine(cluster.scheduler_address) as found:
        assert train_all(PLANS[:1], arrays, store, found) == 12
    said = capsys.readouterr().err
    assert said.count("is refused: requirements.txt pins keras") == 1 and "but 0.1 is installed" in said
    assert wrong.wait(timeout=60) is not None
    assert content(store).items() <= expected.items() and store.count() == 12


@pytest.mark.slow
def test_when_no_worker_is_left_the_queue_says_why(arrays, folder, cluster, worker, capsys):
    worker(other_version(folder))
    with engine(cluster.scheduler_address) as found:
        with pytest.raises(RuntimeError, match="no worker is left; .* refused: requirements.txt pins keras"):
            train_all(PLANS, arrays, Store("store"), found)


@pytest.mark.slow
def test_a_worker_without_the_project_is_told_so(arrays, folder, cluster, worker, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.environ["PYTHONPATH"].replace(str(ROOT), str(folder)))
    worker()
    with engine(cluster.scheduler_address) as found:
        waiting = list(jobs(PLANS, arrays, Store("store")))
        with pytest.raises(RuntimeError, match="no worker is left; .* with the project's folder in PYTHONPATH"):
            list(found.results(waiting, arrays, Store("store")))


def test_an_address_without_a_scheduler_is_named(monkeypatch):
    monkeypatch.setattr("pipeline.train.engines.PATIENCE", 1)
    with pytest.raises(ConfigError, match=r"^CLUSTER=tcp://127\.0\.0\.1:9: no scheduler answers there"):
        with engine("tcp://127.0.0.1:9"):
            pass
    with pytest.raises(ConfigError, match="^CLUSTER=nonsense: no scheduler answers there"):
        with engine("nonsense"):
            pass
