# knockon: `make demo` runs the demonstration, `make check` builds and passes every test.

CC       = gcc
PREFIX   = /usr/local
DESTDIR  =
BUILD    = build/$(notdir $(CC))$(VARIANT)
VARIANT  =

PACKAGES_PC = gsl yaml-0.1 jansson nettle
CSTD     = -std=c17 -D_GNU_SOURCE -ffp-contract=off -fno-fast-math
WARN     = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
           -Wpointer-arith -Wcast-qual -Wwrite-strings -Wno-missing-field-initializers
# Vectorised copies of structs stall on the stores before them; -mtune only chooses, it needs no newer
# processor. Both were measured with `make bench`.
OPT      = -O2 -g -fno-tree-vectorize -fno-tree-slp-vectorize \
           $(if $(filter x86_64,$(shell uname -m)),-mtune=skylake)
CPPFLAGS_ALL = -I. $(shell pkg-config --cflags $(PACKAGES_PC)) $(CPPFLAGS)
CFLAGS_ALL   = $(CSTD) $(OPT) $(WARN) $(SANITIZE) -pthread -MMD -MP $(CFLAGS)
LDLIBS_ALL   = $(shell pkg-config --libs $(PACKAGES_PC)) -lcsv -lm -pthread $(LDLIBS)

SIM         = $(wildcard sim/*.c)
MODELS      = $(wildcard models/*.c models/*/*.c)
EXPERIMENTS = $(filter-out experiments/main.c,$(wildcard experiments/*.c))
TESTS       = $(wildcard tests/*/*_test.c)
BENCHES     = $(wildcard tests/bench/*_bench.c)

objects     = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB         = $(BUILD)/libknockon.a
PROGRAM     = $(BUILD)/knockon
TEST_BINS   = $(patsubst %.c,$(BUILD)/%,$(TESTS))
BENCH_BINS  = $(patsubst %.c,$(BUILD)/%,$(BENCHES))

.PHONY: all clean
.SECONDARY:

all: $(PROGRAM)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(LIB): $(call objects,$(SIM) $(MODELS) $(EXPERIMENTS))
	@rm -f $@
	$(AR) rcs $@ $^

$(PROGRAM): $(BUILD)/experiments/main.o $(LIB)
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LDLIBS_ALL)

$(BUILD)/tests/%_test: $(BUILD)/tests/%_test.o $(LIB)
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LDLIBS_ALL) $(shell pkg-config --libs check)

$(BUILD)/tests/bench/%_bench: $(BUILD)/tests/bench/%_bench.o $(LIB)
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LDLIBS_ALL)

clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
