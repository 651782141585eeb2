#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Both commands of the README on a fresh minimal Debian: in a chroot that has git and make, and one
# line as apt's only source, on a clone of what is committed here, at a path with a space. Of this
# machine it has the kernel, the address of the archive and apt's way there (a proxy).
#
# usage: fresh.sh [SUITE]...                     default: bookworm trixie
#
# STEPS picks from: deps build unit demo check-fast check (default: the first four). Before "deps"
# nothing is installed, so "STEPS=demo" shows that "make demo" sees to all that it needs. Logs are
# in build/fresh/.

# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/vm/common.sh"

self=$(readlink -f "$0")
cd "$vm_dir/../.."
declare -Ar commands=(
	[deps]='make deps'
	[build]='make V=0'
	[unit]='make check-unit'
	[demo]='make demo'
	[check-fast]='make check-fast'
	[check]='make check'
)

# inside ROOT STEP...: in the chroot, one command after another until one fails. Called by
# mmdebstrap, which has mounted what a chroot needs.
inside() {
	local root=$1 step
	shift
	git clone -q --no-local . "$root/root/a clone"
	for step; do
		echo "--- ${commands[$step]}"
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb chroot "$root" \
			sh -c "cd '/root/a clone' && ${commands[$step]}" </dev/null || return
		echo "--- done: $step"
	done
}

# fresh SUITE STEP...: one chroot, which is gone afterwards; return whether all steps passed.
fresh() {
	local suite=$1 mirror log=build/fresh/$1.log options=() option
	shift
	mirror=${VM_MIRROR:-$(archive Debian)}
	[[ $mirror ]] || die "apt's sources name no Debian archive: set VM_MIRROR to the address of one"
	while read -r option; do
		options+=(--aptopt="$option")
	done < <(apt-config dump | grep -E '^Acquire::(https?::.*proxy|Check-)' -i)
	echo "$suite: $*"
	mmdebstrap --quiet --variant=minbase --include=git,make --format=null \
		"${options[@]}" --customize-hook="'$self' --inside \"\$1\" $*" \
		"$suite" /dev/null "deb $mirror $suite main" >"$log" 2>&1 </dev/null || true
	# What was not done is not passed.
	for option; do
		grep -qx -e "--- done: $option" "$log" || {
			echo "$suite: FAILED ${commands[$option]}, the last lines of $log:"
			tail -n 20 "$log"
			return 1
		}
	done
	echo "$suite: passed"
}

if [[ ${1-} == --inside ]]; then
	shift
	inside "$@"
	exit
fi
read -ra steps <<<"${STEPS:-deps build unit demo}"
for step in "${steps[@]}"; do
	[[ -v "commands[$step]" ]] || die "unknown step '$step', known are: ${!commands[*]}"
done
[[ $# -gt 0 ]] || set -- bookworm trixie
need mmdebstrap git
need_space 6000
mkdir -p build/fresh
failed=0
for suite; do
	fresh "$suite" "${steps[@]}" || failed=1
done
exit "$failed"
