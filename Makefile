# Everything runs in .venv; the first target that needs it makes it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The project is used where it lies, as setuptools warns at length.
INSTALL := PYTHONWARNINGS='ignore:Editable installation' $(BIN)/python -m pip install --quiet
NOTES ?= corpus
export Q
# The tests start hundreds of processes: each finds its modules compiled, as a user's would.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: ask chat index test torture soak lint types format bench docs pictures man schema adapter reader clean

ask: $(READY)  ## one question: make ask Q="What is retrieval-augmented generation?"
	@test -n "$$Q" || { echo 'Say what to ask: make ask Q="What is a foundation model?"'; exit 2; }
	@$(BIN)/rag ask --notes "$(NOTES)" -- "$$Q"

chat: $(READY)  ## the terminal interface
	@$(BIN)/rag chat --notes "$(NOTES)"

index: $(READY)  ## bring the index up to date
	@$(BIN)/rag index "$(NOTES)"

test: lint types  ## everything that must hold
	$(BIN)/python -m pytest

# Hours. CASES: how many inputs each fuzzer tries.
CASES ?= 200000
torture: $(READY)  ## what takes long to break: faults, fuzzing, hostile folders
	$(INSTALL) -c constraints.txt -e '.[fuzz]'
	RAG_TORTURE_CASES=$(CASES) $(BIN)/python -m pytest -m torture
	RAG_TORTURE=1 $(BIN)/python -m pytest -s tests/faults

# Eight hours as far as the program can tell; FACTOR: how much faster they go by.
FACTOR ?= 96
soak: $(READY)  ## eight simulated hours in one process; memory, files and threads level off
	$(BIN)/python bench/soak.py --factor $(FACTOR)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is written between marks in bench/RESULTS.md, and bench/growth.svg, is of the last run.
# SIZES counts notes of ten passages: 100000 of them take some minutes and 8 GB of disk.
SIZES ?= 1000 10000 100000
bench: $(READY)  ## figures beside a baseline: make bench RAG_BENCH_DATA=folder
	$(BIN)/python bench/quality.py
	$(BIN)/python bench/speed.py --write
	$(BIN)/python bench/warm.py --write
	$(BIN)/python bench/size.py --write --notes $(SIZES)
	$(BIN)/python bench/screen.py

pictures: $(READY)  ## the pictures of the terminal interface in the README
	$(BIN)/python bench/pictures.py

man: $(READY)  ## the manual page, from the command line's own help
	@mkdir -p docs/man
	$(BIN)/python -m rag.shell.manual > docs/man/rag.1

schema: $(READY)  ## the JSON Schema of what rag prints and serves
	$(BIN)/python -m rag.shapes > docs/schema.json

# An hour on two cores. MORE as for the adapter; BEGIN=reader.safetensors goes on from one. The
# pairs need WordNet's files (Debian: wordnet-base).
READER := build/reader
reader: $(READY)  ## train the reader again: make reader RAG_BENCH_DATA=folder
	$(INSTALL) -c constraints.txt -e '.[train]'
	@mkdir -p $(READER)
	test -f $(READER)/pairs.jsonl || $(BIN)/python bench/reader/pairs.py $(READER)/pairs.jsonl \
		--squad "$(RAG_BENCH_DATA)" --more $(MORE)
	$(BIN)/torchrun --nproc-per-node 2 bench/reader/train.py $(READER)/reader.safetensors \
		$(READER)/pairs.jsonl --minutes $(MINUTES) $(if $(BEGIN),--begin $(BEGIN))

# Hours on two cores; goes on where it stopped. MORE="a.jsonl …": other question sets, see
# bench/adapter/DATA.md. MINUTES counts training alone.
MINUTES ?= 180
TRAINED := build/adapter
adapter: $(READY)  ## train the adapter again: make adapter RAG_BENCH_DATA=folder
	$(INSTALL) -c constraints.txt -e '.[train]'
	@mkdir -p $(TRAINED)
	test -f $(TRAINED)/squad.jsonl || $(BIN)/python bench/adapter/examples.py \
		$(TRAINED)/squad.jsonl --squad "$(RAG_BENCH_DATA)"
	test -f $(TRAINED)/more.jsonl || { \
		$(BIN)/python bench/adapter/examples.py $(TRAINED)/plain.jsonl --more $(MORE) && \
		$(BIN)/python bench/adapter/near_misses.py $(TRAINED)/plain.jsonl $(TRAINED)/more.jsonl; }
	$(BIN)/python bench/adapter/train.py $(TRAINED) $(TRAINED)/squad.jsonl $(TRAINED)/more.jsonl \
		--minutes $(MINUTES)
	$(BIN)/python bench/adapter/convert.py $(TRAINED)/adapter.safetensors \
		$(TRAINED)/SmolLM2-135M-Instruct.gguf

docs: $(READY)  ## the documentation as a site, in build/site
	$(BIN)/mkdocs build --strict --site-dir build/site

clean:
	rm -rf $(VENV)

$(READY): pyproject.toml constraints.txt
	@echo "Setting up $(VENV); the language model's engine is compiled, which takes some minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(INSTALL) --progress-bar off -c constraints.txt -e '.[dev]'
	@touch $(READY)
