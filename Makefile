# `make book` and `make test` do everything, on a fresh machine with Python 3.11 and make.
.PHONY: book ask try test inspect pdf bench retrain tiny check lock
PYTHON ?= python3.11
INSTALLED := .venv/installed
export PATH := $(CURDIR)/.venv/bin:$(PATH)

book: check                 ## train what is stale (nothing, on a fresh clone) and build build/html
	dvc repro
	@python -m pipeline.answer
	@python -m pipeline.ranking

try: $(INSTALLED)           ## one experiment against its control, without the book: make try EXPERIMENT=name
	@test -n "$(EXPERIMENT)" || { echo "which one? make try EXPERIMENT=name" >&2; exit 1; }
	@stages=$$(python -m pipeline.answer --stages $(EXPERIMENT)) && dvc repro --quiet --single-item $$stages
	@python -m pipeline.answer $(EXPERIMENT)

ask: check                  ## the networks on a file of your own: make ask FILE=my.csv TARGET=price WINDOW=24 HORIZON=6
	@test -n "$(FILE)" || { echo "which file? make ask FILE=my.csv TARGET=price WINDOW=24 HORIZON=6 (a table: without WINDOW)" >&2; exit 1; }
	@python -m pipeline.ask "$(FILE)" $(if $(TARGET),--target "$(TARGET)") $(if $(WINDOW),--window "$(WINDOW)") \
		$(if $(HORIZON),--horizon "$(HORIZON)") $(if $(RECORDING),--recording "$(RECORDING)")

test: $(INSTALLED)          ## the test suite
	python -m pytest

inspect: .ci/venv/installed ## look at the built book: its files, then every page in Chromium
	python .ci/check_files.py build/html
	.ci/venv/bin/python .ci/check_browser.py build/html

pdf: $(INSTALLED)           ## print the chapters of the built book as one PDF, build/html/book.pdf, in Chromium
	python .ci/print_book.py build/html

check: $(INSTALLED)         # one clear message for a mistake in params.yaml, before DVC reads it
	@python -m pipeline.plan --check

bench: $(INSTALLED)         ## training speed: model.fit, fit with XLA, and our trainer, side by side
	python -m pipeline.bench

tiny: $(INSTALLED)          ## the whole pipeline, training included, on a tiny profile in .tiny/
	python -m pipeline.tiny

retrain: check              ## redo the whole study from nothing
	rm -rf .runs
	bash -c 'time RETRAIN=1 dvc repro --force'

lock: $(INSTALLED)          # requirements.in -> requirements.txt, for all platforms, every file by its hash
	python -m pip install --quiet uv
	for folder in . .ci; do uv pip compile --universal --python-version 3.11 --no-header --no-annotate \
		--generate-hashes --quiet $$folder/requirements.in -o $$folder/requirements.txt || exit 1; done

$(INSTALLED): requirements.txt
	test -x .venv/bin/python || $(PYTHON) -m venv .venv || python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --require-hashes --requirement requirements.txt
	touch $@

.ci/venv/installed: .ci/requirements.txt $(INSTALLED)
	test -x .ci/venv/bin/python || python -m venv .ci/venv
	.ci/venv/bin/python -m pip install --quiet --require-hashes --requirement .ci/requirements.txt
	touch $@
