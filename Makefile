# make demo: a whole district on this machine (demo-full: with everything). make test: everything that must hold.
PYTHON := .venv/bin/python
CODE := lienthong deploys checks tests inventory/hosts.py

.PHONY: demo demo-full test bench drill drill-lab soak kernel properties check format lock clean-lab

demo:
	@scripts/demo

demo-full:
	@scripts/demo --full

test:
	@scripts/test

# The figures of the main job on this machine, in one run; never part of a test.
bench:
	@scripts/bench

# The properties of the inventory with many random examples each, an hour and more; `make test` runs a seeded few.
EXAMPLES ?= 10000
properties:
	@LIENTHONG_EXAMPLES=$(EXAMPLES) $(PYTHON) -m pytest -q -p no:cacheprovider --durations=0 --durations-min=1 \
		tests/unit/test_properties.py tests/unit/test_words.py tests/unit/test_hostile.py tests/unit/test_rules.py

# Faults and kills on simulated devices, an hour at most; goes on where it was stopped. `make test` runs a few.
SEED ?= 1
MINUTES ?= 60
drill:
	@scripts/setup
	@scripts/drill --seed $(SEED) --minutes $(MINUTES)

# The same on the gateways and switches of two labs of its own.
drill-lab:
	@scripts/drill-lab $(SEED) $(MINUTES)

# Every campaign tests/lab/soak_*.py on a lab of its own, an hour in all; `make test` runs a short part of them.
soak:
	@scripts/soak

# One host with a kernel of its own: auditd, AppArmor, USB, the clock. Emulated, a quarter of an hour.
kernel:
	@scripts/kernel

check:
	@scripts/setup --check
	@.venv/bin/ruff format --check $(CODE)
	@.venv/bin/ruff check $(CODE)
	@.venv/bin/mypy
	@shellcheck scripts/pictures scripts/setup scripts/demo scripts/test scripts/bench scripts/soak scripts/kernel scripts/drill-lab .ci/run

format:
	@.venv/bin/ruff format $(CODE)
	@.venv/bin/ruff check --fix $(CODE)

# The lock names no registry: hashes say what is wanted, the machine's own settings say from where.
lock:
	@.venv/bin/uv pip compile pyproject.toml --group dev --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --python-version 3.11 -q -o lock/requirements.txt

clean-lab:
	@scripts/setup
	@.venv/bin/lienthong lab clean
