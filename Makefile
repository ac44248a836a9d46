# Two commands: `make demo` to see it, `make test` to try it. `make check` is every linter and every test.
POLICY ?= lumio
PORT ?= 8000
BIN := .venv/bin
PY := $(BIN)/python
export POLICY
# What the PDF letters need; the package of a minimal system has it not.
PANGO := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core
# The interpreter: the newest of 3.11 to 3.13 that can make an environment, or what PYTHON says.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

.PHONY: demo test test-postgresql check lint bench bench-full install clean browser servers lock

demo: install
	@$(PY) manage.py demo --port $(PORT)

# TESTS narrows it: make test TESTS=tests/journeys
test: install browser servers
	$(BIN)/pytest $(TESTS)

# What could differ on PostgreSQL, where no transaction waits for another by itself, and one whole story in a browser.
ON_POSTGRESQL := tests/test_races.py tests/test_queries.py tests/test_audit.py tests/test_jobs.py tests/test_intake.py \
  tests/test_lifecycle.py tests/test_shared_cache.py tests/portal/test_ask.py tests/portal/test_follow.py \
  tests/portal/test_hostile.py tests/admin/test_actions.py tests/admin/test_queue.py tests/accounts/test_codes.py \
  tests/journeys/test_browser.py::test_lumio
test-postgresql: install browser servers
	DSR_TEST_DATABASE=postgresql $(BIN)/pytest $(ON_POSTGRESQL)

check: install browser servers lint
	$(BIN)/pytest

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/bandit -q --severity-level medium -c pyproject.toml -r dsr accounts 2>/dev/null  # ruff has the low ones
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/django-upgrade --target-version 5.2 $$(git ls-files 'dsr/*.py' 'accounts/*.py')
	$(PY) manage.py makemigrations --check --dry-run
	DSR_ORIGIN=https://privacy.example.com DSR_TRUSTED_PROXIES=1 $(PY) manage.py check --deploy --fail-level WARNING

bench: install servers
	$(PY) -m bench

bench-full: install servers
	$(PY) -m bench --share 1

install: .venv/installed pango

.venv/installed: requirements-dev.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed: apt install python3 python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# WeasyPrint opens Pango when it is imported; the letter is made with it.
.PHONY: pango
pango: .venv/installed
	@$(PY) -c 'import weasyprint' >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(PANGO) >/dev/null; \
	  else \
	    echo "The letters need Pango. Install it with: sudo apt install $(PANGO)"; exit 1; \
	  fi; }

# Journeys drive Debian's Chromium. Without it they are skipped by name; with DSR_REQUIRE_BROWSER=1 that is a failure.
browser:
	@command -v chromium >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	  else \
	    echo "No Chromium: tests in a browser are skipped. To run them: sudo apt install chromium"; \
	  fi; }

# Tests run on real servers. What is not there is skipped by name; with DSR_REQUIRE_SERVERS=1 that is a failure.
SERVERS := postgresql mariadb-server redis-server
servers:
	@for program in postgres mariadbd redis-server; do \
	  PATH="$$PATH:/usr/sbin:$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tr '\n' ':')" command -v $$program >/dev/null 2>&1 || missing=1; \
	done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(SERVERS) >/dev/null; \
	  else \
	    echo "Not all servers are here: tests on them are skipped. To run them: sudo apt install $(SERVERS)"; \
	  fi; \
	fi

lock: .venv/installed
	$(PY) -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-header --no-emit-index-url -o requirements.lock -q
	$(BIN)/uv pip compile pyproject.toml --all-extras --group test --group lint --universal --generate-hashes --no-header --no-emit-index-url -o requirements-dev.lock -q

clean:
	rm -rf .venv var
