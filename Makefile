# Each target does all that it needs, from a fresh clone on, and nothing twice: the
# environments are .venv and .venv-oldest, and a file in them says what is installed.
.PHONY: help quickstart test test-oldest lint docs bench clean
# Two pips at once would spoil an environment, also under `make -j`.
.NOTPARALLEL:
.DELETE_ON_ERROR:

# The first Python that is new enough; `make PYTHON=... test` chooses another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
PYTEST_ARGS ?= -n 2 --dist loadfile
# Named beside the package, or the resolver would take another build of it.
TORCH := $(shell grep '^torch==' constraints.txt)

BIN := .venv/bin
INSTALLED := .venv/installed
OLDEST := .venv-oldest/installed/test
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Several processes share the cores here: OpenMP threads would wait for each other.
quickstart test test-oldest docs: export OMP_NUM_THREADS := 1

help:
	@echo "make quickstart   train, tune, draw and save on the bundled text"
	@echo "make test         run the tests, the doctests and the code of the guide"
	@echo "make test-oldest  run them with the oldest versions that are supported"
	@echo "make lint         check format, style, spelling, layers and types"
	@echo "make docs         build the pages: docs/_build/html/index.html"
	@echo "make bench        run the benchmarks"
	@echo "make clean        remove the environments and what was built"

quickstart: $(INSTALLED)/plot
	$(BIN)/python examples/quickstart.py

test: $(INSTALLED)/test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-oldest: $(OLDEST)
	.venv-oldest/bin/python -m pytest $(PYTEST_ARGS)

lint: $(INSTALLED)/lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/lint-imports
	$(BIN)/mypy

docs: $(INSTALLED)/docs
	$(BIN)/sphinx-build -q -W --keep-going -j auto docs docs/_build/html
	@echo "open docs/_build/html/index.html"

bench: $(INSTALLED)/bench
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .venv-oldest docs/_build docs/gallery docs/reference/generated \
		quickstart-output

# $* is an extra of pyproject.toml.
$(INSTALLED)/%: pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/python -m pip install -q -c constraints.txt $(TORCH) -e ".[$*]"
	@mkdir -p $(@D) && touch $@

$(OLDEST): pyproject.toml constraints-oldest.txt | .venv-oldest/bin/pip
	.venv-oldest/bin/python -m pip install -q -c constraints-oldest.txt \
		$(TORCH) -e ".[test]"
	@mkdir -p $(@D) && touch $@

.venv/bin/pip .venv-oldest/bin/pip:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	$(PYTHON) -m venv $(@D:/bin=)
	@echo '*' > $(@D:/bin=)/.gitignore
