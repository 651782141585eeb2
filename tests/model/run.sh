#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Check the models: each holds in all the ways in which its processes can be interleaved, and
# each of its mutants, which are named in its head, breaks it.
#
# usage: run.sh [MODEL]...            default: all; "first_floor" or "first_floor MUTANT_LOOK"
#
# JOBS=N checks N at a time. What spin says is in build/model/; a counterexample is shown by
#   cd build/model/NAME && spin -t -p -g -l [-DMUTANT_X] ../../../tests/model/NAME.pml
set -u
cd "$(dirname "$0")/../.." || exit 1
models=tests/model
out=build/model

# check NAME [MUTANT]: verify one. Return: 0 it holds, 1 it does not, 2 that is not known.
check() {
	local dir=$out/$1${2:+-$2} file
	file=$PWD/$models/$1.pml
	rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || return 2
	{
		# spin ends with 0 also where it has found the model to be wrong.
		spin ${2:+-D$2} -a "$file" >spin.log 2>&1 && ! grep -q 'Error' spin.log &&
			gcc -O1 -w -DSAFETY -DVECTORSZ=2048 -o pan pan.c &&
			timeout 300 ./pan -m100000 >pan.log
	} || return 2
	# With a limit that was reached, not all was looked at.
	grep -q 'errors: 0$' pan.log && ! grep -qE 'max search depth|Search not completed' pan.log &&
		return 0
	grep -q 'assertion violated' pan.log && return 1
	return 2
}

# one NAME [MUTANT]: the same, and say whether it came out as it should.
one() {
	local log=$out/$1${2:+-$2}
	(check "$@")
	case $?${2:+m} in
	0) echo "ok       $1: $(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$log/pan.log") states" ;;
	1m) echo "ok       $1: $2 is found" ;;
	1)
		echo "FAILED   $1 does not hold; to see how:"
		echo "         cd $log && spin -t -p -g -l ../../../$models/$1.pml"
		;;
	0m) echo "FAILED   $1: $2 is not found" ;;
	*)
		echo "FAILED   $*: not checked"
		cat "$log"/spin.log "$log"/pan.log 2>/dev/null | head -n 20
		;;
	esac
}

if [ "${1-}" = --one ]; then
	shift
	one "$@"
	exit
fi
command -v spin >/dev/null || { echo 'FAILED   spin is missing: "make deps" installs it'; exit 1; }
mkdir -p "$out"
if [[ ${2-} == MUTANT_* ]]; then
	echo "$1 $2" >$out/list
else
	[ $# -gt 0 ] || set -- $(basename -s .pml $models/*.pml)
	for name; do
		mutants=$(grep -o '^ \* MUTANT_[A-Z]*' "$models/$name.pml" | cut -c4-)
		[ -n "$mutants" ] || { echo "FAILED   $name has no mutant"; exit 1; }
		echo "$name"
		for mutant in $mutants; do
			echo "$name $mutant"
		done
	done >$out/list
fi
# The largest ones first would be better; that they are few is good enough.
xargs -P "${JOBS:-2}" -L 1 tests/model/run.sh --one <$out/list | tee $out/results
[ "$(grep -c '^ok ' $out/results)" -eq "$(grep -c . $out/list)" ]
