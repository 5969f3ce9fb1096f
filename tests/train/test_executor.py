"""Executors give the same bytes, whatever ends or joins while they train: real processes, really ended."""

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
from pipeline.config.errors import ConfigError
from pipeline.tables.store import Store
from pipeline.train import executor as executor_module
from pipeline.train.arm import DataSet
from pipeline.train.executor import Processes, executor
from pipeline.train.queue import jobs, train
from tests.networks import network
from tests.train.toy import a_plan, content, text, trained

ROOT = Path(pipeline.__file__).parent.parent
OTHER = network({"Dense": {"units": 4}}, head=[{"Activation": "softmax"}])
PLANS = [a_plan(seeds=4), a_plan(seeds=4, spec=OTHER) | {"experiment": "another"}]


@pytest.fixture(scope="module")
def expected(arrays, tmp_path_factory):
    """The store that one process leaves."""
    store = Store(tmp_path_factory.mktemp("expected"))
    for plan in PLANS:
        trained(plan, {"tables": DataSet(arrays["tables"])}, store)
    return content(store)


@pytest.fixture
def folder(arrays, tmp_path, monkeypatch):
    """A folder to train in, with as many processes as there are cores."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(executor_module, "RUNS_A_PROCESS", 1)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    write(arrays["tables"], Path("data/tables.npz"))
    return tmp_path


def test_processes_of_this_machine_give_the_same_bytes_also_after_one_was_ended(data, folder, expected):
    class Disturbed(Processes):
        def results(self, *given):
            others = set(multiprocessing.active_children())
            for number, found in enumerate(super().results(*given)):
                yield found
                if number == 0:
                    for process in set(multiprocessing.active_children()) - others:
                        os.kill(process.pid, signal.SIGKILL)

    store = Store("store")
    with pytest.raises(RuntimeError, match="a process that trained was ended .* what has finished is stored"):
        train(PLANS, Disturbed(2), data, store, None)[0]
    before = store.count()
    assert 0 < before < len(expected)
    assert train(PLANS, Processes(2), data, store, None)[0] == len(expected) - before
    assert content(store) == expected


@pytest.mark.slow
def test_fresh_processes_take_the_place_of_those_that_did_many_jobs(data, folder, expected, monkeypatch):
    monkeypatch.setattr(executor_module, "NETWORKS_A_PROCESS", 1)
    store, seen = Store("store"), []

    class Watched(Processes):
        def _results(self, jobs, *given):
            seen.append(len(jobs))
            yield from super()._results(jobs, *given)

    assert train(PLANS, Watched(2), data, store, None)[0] == len(expected) == store.count()
    assert seen == [4, 4] and content(store) == expected


@pytest.mark.slow
def test_a_fresh_clone_without_a_store_trains(data, folder):
    store = Store("store")
    job = jobs(PLANS, data, store)[0]
    [(_, done)] = Processes(1).results([job], data, store)
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
        data, folder, cluster, worker, expected):
    first, done = worker(), []
    store = Store("store")
    with executor(cluster.scheduler_address) as found:
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
        assert train(PLANS, found, data, store, None)[0] == len(expected)
    assert first.wait() == -signal.SIGKILL and len(done) >= 4
    assert content(store) == expected


@pytest.mark.slow
def test_the_command_trains_on_a_cluster_as_a_person_calls_it(folder, cluster, worker, expected):
    worker()
    Path("plan").mkdir()
    for plan in PLANS:
        Path(f"plan/{plan['experiment']}.json").write_text(json.dumps(plan))
    done = subprocess.run([sys.executable, "-m", "pipeline.train"], text=True, capture_output=True, check=False,
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
        data, folder, cluster, worker, expected, capsys):
    wrong = worker(other_version(folder))
    worker()
    store = Store("store")
    with executor(cluster.scheduler_address) as found:
        assert train(PLANS[:1], found, data, store, None)[0] == 12
    said = capsys.readouterr().err
    assert said.count("is refused: requirements.txt pins keras") == 1 and "but 0.1 is installed" in said
    assert wrong.wait(timeout=60) is not None
    assert content(store).items() <= expected.items() and store.count() == 12


@pytest.mark.slow
def test_when_no_worker_is_left_the_queue_says_why(data, folder, cluster, worker, capsys):
    worker(other_version(folder))
    with executor(cluster.scheduler_address) as found:
        with pytest.raises(RuntimeError, match="no worker is left; .* refused: requirements.txt pins keras"):
            train(PLANS, found, data, Store("store"), None)[0]


@pytest.mark.slow
def test_a_worker_without_the_project_is_told_so(data, folder, cluster, worker, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.environ["PYTHONPATH"].replace(str(ROOT), str(folder)))
    worker()
    with executor(cluster.scheduler_address) as found:
        waiting = jobs(PLANS, data, Store("store"))
        with pytest.raises(RuntimeError, match="no worker is left; .* with the project's folder in PYTHONPATH"):
            list(found.results(waiting, data, Store("store")))


def test_an_address_without_a_scheduler_is_named(monkeypatch):
    monkeypatch.setattr("pipeline.train.executor.PATIENCE", 1)
    with pytest.raises(ConfigError, match=r"^CLUSTER=tcp://127\.0\.0\.1:9: no scheduler answers there"):
        with executor("tcp://127.0.0.1:9"):
            pass
    with pytest.raises(ConfigError, match="^CLUSTER=nonsense: no scheduler answers there"):
        with executor("nonsense"):
            pass


@pytest.mark.parametrize("number", ["0", "x", "-3", "1.5", "²"])
def test_a_number_of_threads_that_is_none_is_named(monkeypatch, number):
    monkeypatch.setenv("TRAIN_THREADS", number)
    with pytest.raises(ConfigError, match=f"^TRAIN_THREADS={number}: allowed: a whole number from 1 on$"):
        executor()


def test_few_runs_have_one_process_and_many_have_all(data, tmp_path):
    few = jobs([a_plan(seeds=2)], data, Store(tmp_path))
    assert Processes(64).workers(few) == 1
    many = few * (executor_module.RUNS_A_PROCESS * executor_module.PROCESSES)
    assert Processes(64).workers(many) == executor_module.PROCESSES and Processes(2).workers(many) == 2


def test_a_sample_that_is_trained_again_changes_no_store(data, folder, expected):
    """`make verify` wants the records, and stores nothing."""
    store = Store("store")
    found = dict(record for _, done in Processes(2).results(jobs(PLANS[:1], data, store), data, None)
                 for record in done["records"].items())
    assert {key: text(record) for key, record in found.items()}.items() <= expected.items() and store.count() == 0
