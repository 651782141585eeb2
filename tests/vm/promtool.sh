#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Let Prometheus itself judge the metrics: "promtool check metrics" for each text that the case
# "metrics" has left in its log. promtool is taken out of Debian's package, nothing is installed.
#
# usage: promtool.sh [LOG]...        default: the logs of that case on all kernels

# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

promtool=$vm_build/promtool

# The machine's own sources come first, as for kernels.
download() {
	local conf
	apt-get "${vm_apt_options[@]}" -q download prometheus && return
	rm -f ./*.deb
	conf=$(private_apt trixie)
	locked apt-trixie limited apt-get -c "$conf" "${vm_apt_options[@]}" \
		-o APT::Update::Error-Mode=any -q update
	limited apt-get -c "$conf" "${vm_apt_options[@]}" -q download prometheus
}

fetch() {
	local tmp log=$vm_build/promtool.log code
	[[ ! -x $promtool ]] || return 0
	need_space 300
	tmp=$(mktemp -d "$vm_build/promtool.XXXXXX")
	# shellcheck disable=SC2064
	trap "rm -rf '$tmp'" EXIT
	# Not by "||": to the left of it nothing would stop at an error.
	set +e
	(set -e; cd "$tmp"; download) >"$log" 2>&1
	code=$?
	set -e
	[[ $code -eq 0 ]] || die "the package prometheus could not be fetched: $(tail -n 1 "$log") (all of it: $log)"
	dpkg-deb --fsys-tarfile "$tmp"/prometheus_*.deb | tar -x -C "$tmp" ./usr/bin/promtool
	mv "$tmp/usr/bin/promtool" "$promtool"
}

# judge NAME: the metrics on stdin.
judge() {
	local said
	if said=$("$promtool" check metrics 2>&1) && [[ -z $said ]]; then
		echo "ok       $1"
	else
		echo "FAILED   $1: ${said:-exit code not 0}"
		return 1
	fi
}

need apt-get dpkg-deb tar
mkdir -p "$vm_build"
(locked promtool fetch)

# A promtool that accepts anything would show nothing.
for wrong in 'x{y="z" 1' 'x_count 1'; do
	! judge wrong <<<"$wrong" >/dev/null || die "promtool accepts: $wrong"
done
[[ $# -gt 0 ]] || set -- "$vm_build"/logs/*-metrics.out
failed=
for log; do
	[[ -e $log ]] || die "no metrics to judge: run the case \"metrics\" first"
	for text in metrics scraped; do
		lines=$(sed -n "s/^# $text: //p" "$log")
		[[ $(tail -n 1 <<<"$lines") == "# EOF" ]] || die "$log: no whole text \"$text\""
		judge "${log##*/}, $text" <<<"$lines" || failed=1
	done
done
[[ -z $failed ]]
