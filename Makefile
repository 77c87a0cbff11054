# knockon: `make demo` runs the demonstration, `make check` builds and passes every test.
# Each first installs by apt what is missing, after saying so. `make help` lists the rest.
#
# Paths are relative to this directory, so that it may have any name.

CC      = gcc
prefix  = /usr/local
PREFIX  = $(prefix)
DESTDIR =
VARIANT =
BUILD   = build/$(notdir $(CC))$(VARIANT)

# ---- What is needed, by the names of Debian 12
PACKAGES_BUILD = gcc libc6-dev make pkg-config libgsl-dev libyaml-dev libcsv-dev libjansson-dev \
                 nettle-dev $(if $(findstring clang,$(CC)),$(PACKAGES_CLANG))
PACKAGES_RUN   = gnuplot-nox
PACKAGES_TEST  = check universal-ctags binutils $(if $(IS_LONG),$(PACKAGES_CLANG) locales)
PACKAGES_TIDY  = check universal-ctags binutils clang clang-format clang-tidy shellcheck
PACKAGES_CLANG = clang libclang-rt-14-dev
# clang is 100 MB that a first `make check` does without: what is compared with it is skipped.
IS_LONG        = $(filter true 1,$(CI) $(KNOCKON_LONG))

# ---- Flags
LIBRARIES = gsl yaml-0.1 jansson nettle
CSTD    = -std=c17 -D_GNU_SOURCE -ffp-contract=off -fno-fast-math
WARN    = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith \
          -Wcast-qual -Wwrite-strings -Wno-missing-field-initializers
# Vectorised copies of structs stall on the stores before them; -mtune only chooses among what every
# x86-64 has. Both were measured with `make bench`.
OPT     = -O2 -g -fno-tree-vectorize -fno-tree-slp-vectorize \
          $(if $(filter x86_64,$(shell uname -m)),-mtune=skylake)
# gcc inlines across files when it links the program and the benchmarks; tests link plainly, which is
# ten times faster to build.
LTO     = $(if $(findstring gcc,$(notdir $(CC))),$(if $(VARIANT),,-flto -ffat-lto-objects))
LTOLINK = $(if $(LTO),-flto=auto $(OPT))
DEFINES = -DKNOCKON_DATA_DIR='"$(PREFIX)/share/knockon"'
# pkg-config and its libraries may be installed by this very run, so these are not expanded early.
PC_CFLAGS = $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
PC_LIBS   = $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null || echo -lgsl -lgslcblas -lyaml -ljansson -lnettle)
COMPILE = $(CC) -I. $(DEFINES) $(PC_CFLAGS) $(CPPFLAGS) $(CSTD) $(OPT) $(WARN) $(WERROR) $(SANITIZE) \
          -pthread -MMD -MP $(CFLAGS)
LINK    = $(CC) $(SANITIZE) -pthread $(LDFLAGS)
LDLIBS_ALL = $(PC_LIBS) -lcsv -lm $(LDLIBS)

# ---- What is built
SIM         = $(wildcard sim/*.c)
MODELS      = $(wildcard models/*.c models/*/*.c)
EXPERIMENTS = $(filter-out experiments/main.c,$(wildcard experiments/*.c))
HELPERS     = $(filter-out %_test.c,$(wildcard tests/*/*.c))
# The slowest rooms first: see tests/run.sh.
TESTS       = $(foreach room,theory system swarm,$(wildcard tests/$(room)/*_test.c)) \
              $(filter-out tests/theory/% tests/system/% tests/swarm/%,$(wildcard tests/*/*_test.c))
SCRIPTS     = $(wildcard tests/*/*_test.sh)
BENCHES     = $(wildcard tests/bench/*_bench.c)
objects     = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB         = $(BUILD)/libknockon.a
PROGRAM     = $(BUILD)/knockon
TEST_BINS   = $(patsubst %.c,$(BUILD)/%,$(TESTS))
BENCH_BINS  = $(patsubst %.c,$(BUILD)/%,$(BENCHES))
# The test helpers of a room are linked into each of its tests.
room_of     = $(patsubst %/,%,$(dir tests/$(1)))
helpers_of  = $(call objects,$(filter $(1)/%,$(filter-out tests/fuzz/% tests/bench/%,$(HELPERS))))

.PHONY: all help demo check check-long check-only tests others deps deps-test deps-tidy install \
        uninstall asan ubsan tsan tidy clang-tidy format bench docs images validate clean $(TIDIED)
.SECONDARY:
.SECONDEXPANSION:

all: $(PROGRAM)

help:
	@echo 'make demo | check | check-long | all | install | asan | ubsan | tsan | tidy | format | bench | validate | docs | clean'
	@echo 'CC=clang builds with clang; PREFIX and DESTDIR say where to install'

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC    $<'
	@$(COMPILE) $(if $(filter tests/%,$<),$(if $(filter tests/bench/%,$<),$(LTO)),$(LTO)) -c -o $@ $<

$(LIB): $$(call objects,$$(SIM) $$(MODELS) $$(EXPERIMENTS))
	@echo '  AR    $@'
	@rm -f $@
	@$(if $(LTO),gcc-ar,$(AR)) rcs $@ $^

$(PROGRAM): $(BUILD)/experiments/main.o $(LIB)
	@echo '  LINK  $@'
	@$(LINK) $(LTOLINK) -o $@ $^ $(LDLIBS_ALL)

$(BUILD)/tests/bench/%_bench: $(BUILD)/tests/bench/%_bench.o $(LIB)
	@echo '  LINK  $@'
	@$(LINK) $(LTOLINK) -o $@ $^ $(LDLIBS_ALL)

$(BUILD)/tests/%_test: $(BUILD)/tests/%_test.o $$(call helpers_of,$$(call room_of,$$*)) $(LIB)
	@echo '  LINK  $@'
	@$(LINK) -fno-lto -o $@ $^ $(LDLIBS_ALL) $(shell pkg-config --libs check 2>/dev/null || echo -lcheck)

# ---- The two commands
deps:
	@tools/deps.sh $(PACKAGES_BUILD) $(PACKAGES_RUN)
deps-test:
	@tools/deps.sh $(PACKAGES_BUILD) $(PACKAGES_RUN) $(PACKAGES_TEST)
deps-tidy:
	@tools/deps.sh $(PACKAGES_BUILD) $(PACKAGES_TIDY)

DEMO = experiments/scenarios/demo.yaml
demo: deps
	@$(MAKE) --no-print-directory -j2 all
	$(PROGRAM) run $(DEMO)

# The tests are built in a run of their own because what they need may just have been installed.
check: deps-test
	@$(MAKE) --no-print-directory -j2 tests
	@$(MAKE) --no-print-directory others
	@$(MAKE) --no-print-directory check-only
check-long: export KNOCKON_LONG = 1
check-long: export CK_TIMEOUT_MULTIPLIER = 60
check-long: export KNOCKON_TEST_LIMIT_S = 36000
check-long:
	@$(MAKE) --no-print-directory check
tests: $(PROGRAM) $(TEST_BINS)
check-only:
	@$(if $(VARIANT),,sh tests/tidy.sh $(BUILD))
	@KNOCKON=$(PROGRAM) KNOCKON_OTHERS='$(if $(VARIANT),,$(OTHERS))' KNOCKON_DATA="$$PWD" \
	    tests/run.sh $(BUILD)/logs $(TEST_BINS) $(SCRIPTS)

# The same program by other means, whose results must be the same bytes.
OTHERS = build/gcc-O0/knockon build/clang/knockon
others:
	@$(MAKE) --no-print-directory -j2 CC=gcc VARIANT=-O0 OPT=-O0 all
	@if command -v clang >/dev/null; then $(MAKE) --no-print-directory -j2 CC=clang all; fi

# ---- Other builds of the same tests. Each has a directory of its own. KNOCKON_SHORT=1 shrinks the
# statistics, which would take hours and touch no line that a short run does not.
SANITIZED = asan ubsan tsan
asan:  FLAGS = OPT='-O1 -g -DKNOCKON_DCHECK' SANITIZE='-fsanitize=address -fno-omit-frame-pointer'
ubsan: FLAGS = OPT='-O1 -g -DKNOCKON_DCHECK' SANITIZE='-fsanitize=undefined \
    -fsanitize=float-cast-overflow -fno-sanitize-recover=all'
tsan:  FLAGS = OPT='-O1 -g' SANITIZE=-fsanitize=thread
$(SANITIZED): export KNOCKON_SHORT = 1
$(SANITIZED): export CK_TIMEOUT_MULTIPLIER = 20
$(SANITIZED): deps-test
	@$(MAKE) --no-print-directory -j2 VARIANT=-$@ $(FLAGS) tests
	@$(MAKE) --no-print-directory VARIANT=-$@ check-only

bench:
	@$(MAKE) --no-print-directory -j2 $(BENCH_BINS)
	@for bench in $(BENCH_BINS); do echo "== $$bench"; taskset -c 0 $$bench; done

# ---- Care
SOURCES = $(wildcard sim/*.[ch] models/*.[ch] models/*/*.[ch] experiments/*.[ch] tests/*.[ch] tests/*/*.[ch])
format: deps-tidy
	@clang-format -i $(SOURCES)
SHELL_SCRIPTS = $(wildcard tools/*.sh tests/*.sh tests/*/*.sh experiments/scenarios/traffic/*.sh) .ci/run
TIDIED = $(addprefix tidied/,$(SIM) $(MODELS) $(EXPERIMENTS) experiments/main.c)
tidy: deps-tidy
	@echo '  FORMAT'; clang-format --dry-run --Werror $(SOURCES)
	@echo '  SHELLCHECK'; shellcheck $(SHELL_SCRIPTS)
	@$(MAKE) --no-print-directory -j2 CC=gcc VARIANT=-werror WERROR=-Werror tests
	@$(MAKE) --no-print-directory -j2 CC=clang VARIANT=-werror WERROR=-Werror tests
	@sh tests/tidy.sh build/gcc-werror
	@$(MAKE) --no-print-directory -j2 -k clang-tidy
clang-tidy: $(TIDIED)
$(TIDIED): tidied/%:
	@echo '  TIDY  $*'
	@clang-tidy --quiet --warnings-as-errors='*' $* -- -I. $(CSTD) $(DEFINES) $(PC_CFLAGS) 2>&1 | \
	    { ! grep -vE '^[0-9]+ warnings? (generated|treated as)|^$$'; }

# The chapters that are generated, and the pictures of the README.
docs: $(PROGRAM)
	$(PROGRAM) kinds --markdown > docs/kinds.md
images: $(PROGRAM)
	$(PROGRAM) run --quiet $(DEMO) --out build/images --force
	cp build/images/load.svg docs/images/demo.svg

# A run of vLLM that was measured, simulated, and both in one picture. Its data are not shipped.
MEASURED = ../shared/data/vllm-rtx4090-llama-3.1-8b
validate: deps $(PROGRAM)
	@tools/validate.sh $(PROGRAM) $(MEASURED) build/validation

# ---- Installing
SHARE = $(DESTDIR)$(PREFIX)/share/knockon
install: all
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(SHARE)/plots" "$(SHARE)/experiments/scenarios/traffic"
	install -m 755 $(PROGRAM) "$(DESTDIR)$(PREFIX)/bin/knockon"
	install -m 644 plots/*.gp "$(SHARE)/plots"
	install -m 644 experiments/scenarios/*.yaml "$(SHARE)/experiments/scenarios"
	install -m 644 experiments/scenarios/traffic/* "$(SHARE)/experiments/scenarios/traffic"
uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/knockon"
	rm -rf "$(SHARE)"

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
