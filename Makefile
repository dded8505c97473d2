# Each target sets up what it needs: .venv from requirements.lock, node_modules from
# package-lock.json, fonts and KaTeX for the site. A second call finds the stamps and is instant.

PYTHONS := python3.13 python3.12 python3.11 python3.14 python3 python
VENV    := .venv
BIN     := $(VENV)/bin
PY      := $(BIN)/python
PORT    ?= 8000
export SITE_URL ?= http://127.0.0.1:8000/
export PYTHONDONTWRITEBYTECODE ?= 1
# A page's numbers are the same on any machine only if a sum is taken in one order.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
export NO_MKDOCS_2_WARNING ?= 1
export DISABLE_MKDOCS_2_WARNING ?= true
# The date in the sitemap is that of the last commit, so that two builds are equal to the byte.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.DEFAULT_GOAL := help
.PHONY: help setup serve test test-all chapter site offline snippets zensical bench update mutants mutants-package lock clean witness

help:
	@echo "make serve     show the book on this machine, rebuilt on every change"
	@echo "make test      check every page and run the tests"
	@echo "make test-all  the slow ones too: every control in the browser, every notebook"
	@echo "make chapter   the page and the tests of one chapter: make chapter NAME=layer"
	@echo "make kernels   check every page as other processors compute it"
	@echo "make site      build the site strictly into site/"
	@echo "make offline   the book to take along in dist/: a zip of the site, a PDF, an EPUB (needs Chromium)"
	@echo "make snippets  press every Run button of the site in Chromium and compare (some minutes)"
	@echo "make shots     keep what chapters and figures look like now; make shots-diff shows what has changed"
	@echo "make lighthouse  score every chapter, phone and desktop (needs Chromium)"
	@echo "make update    rewrite the outputs and the bound numbers of all pages"
	@echo "make mutants   corrupt equations one symbol at a time and count what is caught"
	@echo "make mutants-package  corrupt the code of the package and count what its tests catch"
	@echo "make bench     time the training step (needs the extra bench)"
	@echo "make witness   add PyTorch and JAX, which some tests compare with"
	@echo "make zensical  build the site with Zensical, the successor of MkDocs, as a second gate"
	@echo "make lock      resolve requirements.lock and package-lock.json anew"
	@echo "make clean     remove everything that was built"

$(VENV)/.created:
	@python=; for p in $(PYTHONS); do \
	  if $$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11, 5) <= sys.version_info[:3])' 2>/dev/null; \
	  then python=$$p; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "error: no Python 3.11.5 or newer with the venv module was found." >&2; \
	  echo "       Install one (Debian: apt-get install python3 python3-venv), then call make again." >&2; \
	  exit 1; fi; \
	echo "setting up $(VENV) with $$($$python --version)"; \
	$$python -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: requirements.lock pyproject.toml $(VENV)/.created
	@echo "installing the locked Python packages (about 100, some minutes the first time)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock \
	  || { echo "error: the packages could not be installed; is there a network?" >&2; exit 1; }
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

node_modules/.installed: package.json package-lock.json $(VENV)/.installed
	@echo "installing the locked npm packages (KaTeX, fonts, Python for the browser)"
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
	  || { echo "error: the npm packages could not be installed; is there a network?" >&2; exit 1; }
	@touch $@

docs/assets/vendor/.copied: scripts/fetch_assets.py node_modules/.installed
	@$(PY) scripts/fetch_assets.py
	@touch $@

# Python for the browser. Where it can't be had the site goes without Run buttons, and the next call tries again.
docs/assets/vendor/pyodide/.copied: scripts/fetch_runtime.py docs/assets/vendor/.copied
	@$(PY) scripts/fetch_runtime.py && touch $@ || true

setup: docs/assets/vendor/pyodide/.copied

serve: setup
	@$(PY) scripts/serve.py $(PORT)

# The browser looks at the site that has just been built.
test: site
	@SITE_DIR="$(CURDIR)/site" $(PY) -m pytest -n auto --dist loadgroup -q -m "not slow" $(ARGS)
	@echo "left out: the slow tests (every control in the browser, every notebook); make test-all has them"

test-all: site
	@SITE_DIR="$(CURDIR)/site" $(PY) -m pytest -n auto --dist loadgroup -q $(ARGS)

# The numbers of the pages must not depend on the machine: two other kernels of OpenBLAS, and one run
# without the vector instructions that NumPy chooses at run time. Elsewhere than on x86 nothing changes.
kernels: setup
	@for kernel in Haswell Nehalem; do echo "--- OpenBLAS as on $$kernel"; \
	  OPENBLAS_CORETYPE=$$kernel $(PY) -m nnfp.book check $(ARGS) || exit 1; done
	@echo "--- NumPy without AVX"; \
	  NPY_DISABLE_CPU_FEATURES="$$($(PY) scripts/cpu_features.py)" OPENBLAS_CORETYPE=Prescott \
	  $(PY) -m nnfp.book check $(ARGS)

chapter: setup
	@test -f docs/$(NAME).md || { echo "error: no chapter '$(NAME)'; write make chapter NAME=layer" >&2; exit 1; }
	@$(PY) -m nnfp.book check docs/$(NAME).md & page=$$!; \
	$(PY) -m pytest -q $(wildcard tests/test_$(NAME).py nnfp/$(NAME).py); tests=$$?; \
	wait $$page && exit $$tests

site: setup
	@$(PY) -m mkdocs build --strict --clean --site-dir site

offline: setup
	@$(PY) scripts/offline.py

snippets: site
	@$(PY) scripts/run_in_browser.py

# Lighthouse is installed for this alone; its own lock file pins it. ARGS="--only neuron" for one chapter.
shots: site
	@$(PY) scripts/shots.py update $(ARGS)

shots-diff: site
	@$(PY) scripts/shots.py show $(ARGS)

lighthouse: site
	@cd scripts/lighthouse_tool && PATH="$(CURDIR)/$(BIN):$$PATH" ../../$(BIN)/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(PY) scripts/lighthouse.py --site-dir site $(ARGS)

zensical: setup
	@$(PY) -m nnfp.book prepare
	@$(BIN)/zensical build --strict --clean

witness: setup
	@$(PY) -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@$(PY) -m pip install --quiet --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 scikit-learn

bench: setup
	@$(PY) scripts/benchmark.py $(ARGS)

update: setup
	@$(PY) -m nnfp.book check --update

mutants: setup
	@$(PY) scripts/mutate.py equations $(ARGS)

# mutmut is for this alone; its own lock file pins it, with the versions of requirements.lock.
mutants-package: setup
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-mutation.lock
	@$(PY) scripts/mutate.py package $(ARGS)

lock: setup
	@$(PY) -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11.5 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links --upgrade \
	  --extra book --extra offline --extra test --extra dev pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11.5 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links --upgrade \
	  --extra mutation -c requirements.lock pyproject.toml -o requirements-mutation.lock
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm install --package-lock-only --ignore-scripts

clean:
	rm -rf $(VENV) node_modules site dist .cache docs/notebooks docs/assets/vendor *.egg-info
