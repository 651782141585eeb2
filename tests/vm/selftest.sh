#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The harness must not pass what has failed: hand it cases that go wrong in every way it knows,
# each in a real guest, and compare its verdicts.

# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

tmp=$(mktemp -d "${TMPDIR:-/tmp}/psc-vm.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/cases"

# bad NAME PASSED FAILED VM-WORDS BODY: a case, and what the harness must count for it.
declare -A expected
bad() {
	expected[$1]="$2 $3"
	printf '#!/bin/sh\n# vm: %s\n. /psc/lib.sh\n%s\n' "$4" "$5" >"$tmp/cases/$1"
}

bad good 1 0 shared 'plan 1; ok fine; finish'
bad no-plan 1 1 shared 'ok fine'
bad not-ok 1 1 shared 'plan 2; ok fine; not_ok bad; finish'
bad skip 0 1 shared 'echo "1..1"; echo "ok 1 - x # SKIP no time"'
bad todo 0 1 shared 'echo "1..1"; echo "not ok 1 - x # TODO later"'
bad no-tests 0 1 shared 'echo "1..0 # SKIP all"'
bad silent 0 1 shared 'exit 0'
bad exit-code 1 1 shared 'plan 1; ok fine; exit 3'
bad short 2 1 shared 'plan 3; ok 1; ok 2; exit 0'
bad long 2 1 shared 'plan 1; ok 1; ok 2; exit 0'
bad wrong-number 2 1 shared 'plan 2; (ok 1); ok 2; exit 0'
bad bail-out 1 1 shared 'plan 1; ok 1; echo "Bail out! no more"; exit 0'
bad two-plans 1 1 shared 'plan 1; ok 1; plan 1; exit 0'
bad hang 1 1 'limit=10' 'plan 1; ok fine; sleep 1000'
bad panic 1 1 '' 'plan 1; ok fine; echo c >/proc/sysrq-trigger; sleep 1000'
bad early-off 1 1 '' 'plan 1; ok fine; poweroff -f'
bad reboot 1 1 '' 'plan 1; ok fine; reboot -f'
bad warning 1 1 '' 'plan 1; ok fine; echo "<4>WARNING: CPU: 0 PID: 1 at x" >/dev/kmsg; finish'

"$vm_dir/run.sh" --kernel "${1:-6.12}" --cases "$tmp/cases" --logs "$tmp/logs" \
	--results "$tmp/results" >"$tmp/report" && die "run.sh did not fail"

failed=0
for name in "${!expected[@]}"; do
	line=$(grep -E "^(ok|FAIL) +[^ ]+ +$name " "$tmp/report" || true)
	got=$(sed -nE 's/.* ([0-9]+) passed(, ([0-9]+) failed)?, .*/\1 \3/p' <<<"$line")
	[[ $line == FAIL* ]] || got+=0
	if [[ $got != "${expected[$name]}" ]]; then
		echo "$name: counted '$got', not '${expected[$name]}' (passed, failed)"
		failed=1
	fi
done
[[ $failed -eq 0 ]] || cat "$tmp/report"
exit "$failed"
