# make demo and make test need only Python 3.11 or later, make and git; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: browser demo test test-fault bench check format lock clean

demo: $(READY)
	$(BIN)/touchline demo

# Two at once, file by file: most tests wait for servers of their own, and use one core while they do not.
test: $(READY)
	$(BIN)/python -m pytest -m "not fault and not bench" --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-fault: $(READY)
	$(BIN)/python -m pytest -m fault --timeout 900

bench: $(READY)
	$(BIN)/python -m tests.bench

# The browser that the tests of the pages drive; without it they are skipped, and say so.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
			&& apt-get install -qq --yes --no-install-recommends chromium; } || \
		echo "no Chromium, and no way to install it from here: the tests of the pages will be skipped"

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Touchline needs Python 3.11 or later: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

# Pins every dependency with its hashes, naming no index: those of all work here, and of them those of the image.
PIN := pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header \
	--strip-extras --allow-unsafe
lock: $(READY)
	$(BIN)/$(PIN) --extra local --extra fit --extra report --extra parquet --extra sentiment --extra alerts --extra dev \
		--output-file requirements.lock pyproject.toml
	$(BIN)/$(PIN) --no-annotate --extra report --extra alerts --constraint requirements.lock \
		--output-file deploy/requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build *.egg-info
