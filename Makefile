# Two commands for newcomers: `make demo` and `make test`. Both start from nothing.
# `make scale` kills machines of a Ray cluster and processes of torchrun, and fails an object store.
# `make gpu` measures what a CUDA device makes of it, into gpu-report.md.
PYTHON ?= python3
VENV := .venv

.PHONY: demo test gpu fuzz scale

demo: $(VENV)/ready
	$(VENV)/bin/python tests/demo/run.py

test: $(VENV)/ready
	$(VENV)/bin/pytest -m 'not slow' --numprocesses 2 --dist loadfile

# Ten minutes of damaged input of every kind, and kill -9; AUDIOFIX_FUZZ_SECONDS=36000 for a night.
fuzz: $(VENV)/ready
	AUDIOFIX_FUZZ_SECONDS=$${AUDIOFIX_FUZZ_SECONDS:-600} AUDIOFIX_FUZZ_SEED=$$(date +%s) \
	  $(VENV)/bin/pytest -s tests/fuzz
	AUDIOFIX_KILLS=$${AUDIOFIX_KILLS:-20} $(VENV)/bin/pytest tests/kill

scale: $(VENV)/ready
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,scale]'
	$(VENV)/bin/pytest -m slow tests/jobs/test_cluster.py tests/audio/test_remote.py \
	  tests/trainers/test_distributed.py tests/trainers/test_elastic.py

gpu: $(VENV)/ready
	$(VENV)/bin/python tests/bench/gpu.py

$(VENV)/ready: pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'audiofix needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ...'; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' \
	  || { echo 'This Python lacks venv: install it (Debian: apt install python3-venv)'; exit 1; }
	@command -v $${CXX:-c++} >/dev/null \
	  || echo 'No C++ compiler (Debian: apt install g++): the slower scan in plain torch is used.'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@
