# SPDX-License-Identifier: GPL-2.0-or-later
# Measuring; included by the top Makefile. See docs/performance.md.

BENCH := build/bench
BENCH_SRCS := $(wildcard tests/bench/*.c)

.PHONY: bench bench-native bench-record check-bench

$(BENCH)/bench: $(BENCH_SRCS) $(wildcard tests/bench/*.h) $(HDRS) $(B)/libptracescope.a
	$(call msg,BENCH,$@)
	$(Q)mkdir -p $(BENCH)
	$(Q)$(CC) $(CFLAGS) $(PSC_CFLAGS) $(TEST_INCLUDES) -Itests/bench $(PSC_LDFLAGS) $(LDFLAGS) -o $@ \
		$(filter %.c %.a,$^) -Wl,--as-needed $(PSC_LDLIBS) $(LDLIBS) -pthread

# In guests: the table, and build/bench/chart.svg. BENCH_ARGS="--crowd 1000 --json"
bench: vm-product $(BENCH)/bench
	$(Q)tests/bench/run.sh $(BENCH_ARGS)

# On this machine, which needs BPF LSM and must not have Yama; leaves nothing in force.
bench-native: all $(BENCH)/bench
	$(Q)PATH="$(CURDIR)/build:$$PATH" $(BENCH)/bench native 1000

# The main rows against tests/bench/recorded.tsv; bench-record writes that file.
check-bench: vm-product $(BENCH)/bench
	$(Q)tests/bench/run.sh --guard

bench-record: vm-product $(BENCH)/bench
	$(Q)tests/bench/run.sh --record
