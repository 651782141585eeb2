# SPDX-License-Identifier: GPL-2.0-or-later
# The fuzzers: everything by clang, with libFuzzer and sanitizers, in build/fuzz.

FUZZ_PACKAGES := clang libclang-rt-dev
FUZZ_SECONDS ?= 60
FUZZ_SRCS := $(wildcard tests/fuzz/fuzz_*.c)
FUZZERS := $(FUZZ_SRCS:tests/fuzz/%.c=$(B)/%)

.PHONY: fuzz fuzzers fuzzers-built fuzz-selftest

fuzz: fuzzers
	$(Q)tests/fuzz/run.sh $(FUZZ_SECONDS)

# Minutes: that each fuzzer finds something where there is something.
fuzz-selftest: fuzzers
	$(Q)tests/fuzz/selftest.sh

fuzzers:
	$(Q)$(MAKE) --no-print-directory B=build/fuzz CC=$(CLANG) SANITIZE=1 FUZZING=1 CFLAGS='-O1 -g' \
		fuzzers-built

fuzzers-built: $(FUZZERS)

$(FUZZERS): $(B)/fuzz_%: tests/fuzz/fuzz_%.c $(B)/libptracescope.a
	$(call msg,FUZZ,$@)
	$(Q)$(CC) $(CFLAGS) $(PSC_CFLAGS) $(TEST_INCLUDES) -Itests/unit -MMD -MP -MF $@.d -fsanitize=fuzzer \
		$(PSC_LDFLAGS) $(LDFLAGS) -o $@ $< $(B)/libptracescope.a $(PSC_LDLIBS) $(LDLIBS) -lcmocka

-include $(FUZZERS:%=%.d)
