#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Everything that "make check" runs; ends with the line "N passed, N failed".
# FAST=1 leaves out what is slow; UNIT_ONLY=1 all but one build, the unit tests and what "make
# install" copies, so that it needs no root, no network but the loopback device, and no more tools
# than a build has.
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0
failed=0
MAKE=${MAKE:-make}
log=build/check.log
# A packager's compiler may have warnings that ours has not.
[ -n "${UNIT_ONLY:-}" ] || export WERROR=1
mkdir -p build

# step NAME COMMAND...: one result that is its exit status; output only when it fails.
step() {
	name=$1
	shift
	if "$@" >"$log" 2>&1; then
		echo "ok       $name"
		passed=$((passed + 1))
	else
		echo "FAILED   $name: $*"
		tail -n 60 "$log"
		failed=$((failed + 1))
	fi
}

# unit PROGRAM: a cmocka program; every test in it counts.
unit() {
	CMOCKA_MESSAGE_OUTPUT=TAP "$1" >"$log" 2>&1
	status=$?
	ok=$(grep -c '^ok ' "$log")
	not_ok=$(grep -c '^not ok ' "$log")
	# A crash, a sanitizer's complaint or a skip is a failure, too.
	if grep -q '# *SKIP' "$log" || [ $((ok + not_ok)) -eq 0 ] ||
	   { [ $status -ne 0 ] && [ "$not_ok" -eq 0 ]; }; then
		not_ok=$((not_ok + 1))
	fi
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	if [ "$not_ok" -eq 0 ]; then
		echo "ok       $1: $ok tests"
	else
		echo "FAILED   $1: $not_ok of $((ok + not_ok)) tests, exit status $status"
		tail -n 100 "$log"
	fi
}

measured() {
	wait "$measuring" || { cat build/bench.log; return 1; }
}

names=$(basename -s .c tests/unit/test_*.c)
jobs=$(nproc)
programs=build${SANITIZE:+/sanitize}
step "build" "$MAKE" -j"$jobs" SANITIZE="${SANITIZE:-}" all units
[ $failed -eq 0 ] || { echo "$passed passed, $failed failed"; exit 1; }
for test in $names; do
	unit "$programs/tests/$test"
done

# Downloads take the network's time; they go on beside what takes the processors'. What fails is
# tried again, and told, when it is needed.
fetch() {
	tests/vm/kernels.sh
	for rootfs in systemd podman package; do
		tests/vm/rootfs.sh $rootfs
	done
}
fetching=
if [ -z "${FAST:-}${UNIT_ONLY:-}" ]; then
	fetch >build/fetch.log 2>&1 &
	fetching=$!
	step "build with clang" "$MAKE" -j"$jobs" CC=clang B=build/clang all units
	step "build with sanitizers" "$MAKE" -j"$jobs" SANITIZE=1 all units
	for test in $names; do
		unit "build/sanitize/tests/$test"
	done
fi
if [ -z "${FAST:-}" ]; then
	step "install copies files and no more" tests/install.sh
	step "the tables in the docs are the tested ones" tests/docs.sh
	step "packages are of this version" tests/packaging.sh
	step "the guard of costs fails what must fail" tests/bench/selftest.sh
fi

if [ -z "${FAST:-}${UNIT_ONLY:-}" ]; then
	step "lint" "$MAKE" --no-print-directory lint
	step "the completion in bash, zsh and fish" "$MAKE" --no-print-directory check-completion
	step "the models hold, and their mutants do not" "$MAKE" --no-print-directory models
	step "build the fuzzers" "$MAKE" --no-print-directory -j"$jobs" fuzzers
	step "ten seconds of each fuzzer" "$MAKE" --no-print-directory fuzz FUZZ_SECONDS=10
fi

if [ -z "${UNIT_ONLY:-}" ]; then
	rm -f build/vm/results
	vm_status=0
	if [ -n "${FAST:-}" ]; then
		KERNELS=${KERNELS:-6.12} "$MAKE" --no-print-directory check-vm \
			CASES="${CASES:-kernel_side daemon}" || vm_status=$?
	else
		step "build what the guests run" "$MAKE" -j"$jobs" vm-product vm-programs \
			vm-packages build/bench/bench
		wait "$fetching"
		# Its guests count instructions, so that others beside them change nothing.
		tests/bench/run.sh --guard >build/bench.log 2>&1 &
		measuring=$!
		step "the guest harness fails what must fail" tests/vm/selftest.sh
		# shellcheck disable=SC2086
		tests/vm/run.sh --product build/vm/product ${CASES:-} || vm_status=$?
		step "Prometheus accepts the metrics" "$MAKE" --no-print-directory check-promtool
		step "the table of docs/lock.md is what the guests showed" tests/lock-table.sh --check
	fi
	if read -r vm_passed vm_failed 2>/dev/null <build/vm/results; then
		passed=$((passed + vm_passed))
		failed=$((failed + vm_failed))
		[ "$vm_status" -eq 0 ] || [ "$vm_failed" -gt 0 ] || failed=$((failed + 1))
	else
		echo "FAILED   the guests left no results"
		failed=$((failed + 1))
	fi
	[ -n "${FAST:-}" ] || step "checks cost what they did" measured
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
