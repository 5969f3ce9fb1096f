# `make book` and `make test` do everything, on a fresh machine with Python 3.11 and make.
.PHONY: book ask runs verify torture try code plan check test test-all inspect pdf bench scale retrain tiny tidy lock
PYTHON ?= python3.11
INSTALLED := .venv/installed
# Dask: for `make runs CLUSTER=…`, and for the tests of it.
DASK := .venv/installed-cluster
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# What is given reaches Python through the environment, as it was typed: neither make nor a shell reads it.
GIVEN := FILE TARGET WINDOW HORIZON RECORDING TASK GROUP_BY TIME MINUTES EXPERIMENT QUICK DATA FORM CLUSTER NAME RUNS SEED \
	MOMENTS EXPERIMENTS SETS PYTHON
define as_typed
override $(1) := $$(value $(1))
export $(1)
endef
$(foreach name,$(GIVEN),$(if $(value $(name)),$(eval $(call as_typed,$(name)))))

book: tidy              ## train what is stale (nothing, on a fresh clone) and build build/html
	@python -m pipeline.process.reproduce plan
	@python -m pipeline.plan.announce
	@python -m pipeline.process.reproduce
	@python -m pipeline.cli.answer
	@python -m pipeline.cli.rank
	@echo "the book: build/html/index.html"

runs: tidy $(if $(CLUSTER),$(DASK)) ## train every missing run as one queue, here or on a Dask cluster: make runs CLUSTER=tcp://…
	@python -m pipeline.process.reproduce plan
	@python -m pipeline.plan.announce
	@python -m pipeline.train

plan: $(INSTALLED)          ## what `make book` would train, and about how long; nothing is trained or written
	@python -m pipeline.plan --dry

check: $(INSTALLED)         ## all mistakes of params.yaml and book/readings.yaml, new networks built; nothing is written
	@python -m pipeline.plan --check

verify: tidy $(if $(CLUSTER),$(DASK)) ## train a random sample of the stored runs again: make verify NAME=avx2 RUNS=200 SEED=7
	@python -m pipeline.process.reproduce plan
	@python -m pipeline.cli.verify

torture: tidy               ## kill, starve and lock out runs of a tiny project at random moments: make torture MOMENTS=12 SEED=7
	python -m tools.torture

try: tidy               ## one experiment against its control, without the book: make try EXPERIMENT=name QUICK=1
	@python -m pipeline.cli.trial

code: $(INSTALLED)          ## an experiment as Keras code to paste: make code EXPERIMENT='name[variant]' DATA=name FORM=functional
	@python -m pipeline.cli.code

ask: tidy                ## the networks on a file of your own: make ask FILE=my.csv TARGET=price WINDOW=24 HORIZON=6
	@python -m pipeline.cli.ask

test: $(INSTALLED) $(DASK)  ## the test suite, but for what takes long
	python -m pytest -n 2 --dist loadfile

test-all: $(INSTALLED) $(DASK) ## all of the test suite
	python -m pytest -n 2 --dist loadfile -m ""

inspect: .ci/venv/installed ## look at the built book: its files, then every page in Chromium
	python .ci/check_files.py build/html
	.ci/venv/bin/python .ci/check_browser.py build/html

pdf: $(INSTALLED)           ## print the chapters of the built book as one PDF, build/html/book.pdf, in Chromium
	python .ci/print_book.py build/html

tidy: $(INSTALLED)          # check, mend what a kill left, remove what was taken out of params.yaml
	@python -m pipeline.plan --tidy

bench: $(INSTALLED)         ## training speed: model.fit, fit with XLA, and our trainer, side by side
	python -m tools.bench

scale: $(INSTALLED)         ## how long each step takes as a study grows, on invented ones: make scale EXPERIMENTS=150,300 SETS=10,20
	python -m tools.scale

tiny: $(INSTALLED)          ## the whole pipeline, training included, on a tiny profile in .tiny/
	python -m tools.tiny

retrain: tidy            ## redo the whole study from nothing
	rm -rf .runs
	bash -c 'time (RETRAIN=1 $(MAKE) runs && RETRAIN=1 dvc repro --force)'

lock: $(INSTALLED)          # requirements.in -> requirements.txt, for all platforms, every file by its hash
	python -m pip install --quiet uv
	for folder in . .ci; do uv pip compile --universal --python-version 3.11 --no-header --no-annotate \
		--generate-hashes --quiet $$folder/requirements.in -o $$folder/requirements.txt || exit 1; done
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate --generate-hashes --quiet \
		--constraint requirements.txt requirements-cluster.in -o requirements-cluster.txt

$(INSTALLED): requirements.txt
	test -x .venv/bin/python || "$$PYTHON" -m venv .venv || python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --require-hashes --requirement requirements.txt
	touch $@

$(DASK): requirements-cluster.txt $(INSTALLED)
	.venv/bin/python -m pip install --quiet --require-hashes --requirement requirements-cluster.txt
	touch $@

.ci/venv/installed: .ci/requirements.txt $(INSTALLED)
	test -x .ci/venv/bin/python || python -m venv .ci/venv
	.ci/venv/bin/python -m pip install --quiet --require-hashes --requirement .ci/requirements.txt
	touch $@
