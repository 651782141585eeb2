#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each fuzzer finds a bug that is planted in a copy of the tree: in build/fuzz/planted/.
#
# usage: selftest.sh [NAME]...
set -u
cd "$(dirname "$0")/../.." || exit 1
copy=build/fuzz/planted
seconds=60

# What to plant: the fuzzer, the file, what sed does to it.
plants() {
	cat <<-'END'
	answer	src/ctl/show.c	s/if (!json_is_string(string))/if (0)/
	cgroup	src/daemon/config/pattern.c	s/if (\*c == '\]')/if (0)/
	cli	src/ctl/cli_option.c	s/if (strlen(argument) >= PSC_CLI_SOCKET_MAX)/if (0)/
	config	src/daemon/config/config_file.c	s/PSC_QUOTE_SIZE - sizeof("\\\\xNN...")/PSC_QUOTE_SIZE + 8/
	oci	src/ctl/oci.c	s/if (!id || !\*id)/if (!id)/
	protocol	src/daemon/socket/control.c	s/if (call->client->capable)/if (json_object_size(call->parameters) == 2)/
	report	src/daemon/report/journal_entry.c	s/return psc_escape(line + 3, strlen(line + 3), SHOWN_PATH)/return strdup(line + 3)/
	server	src/daemon/socket/server.c	s/limits->connections_max - limits->connections_kept/limits->connections_max/
	server	src/daemon/socket/watch.c	s/^\t\*watch->link = watch->next;//
	END
}

# one NAME FILE SED: plant it, build, run. Return: whether it is found.
one() {
	cp "$2" "$copy/$2"
	sed -i "$3" "$copy/$2"
	! cmp -s "$2" "$copy/$2" || { echo "FAILED   fuzz_$1: nothing planted in $2"; return 1; }
	make --no-print-directory -s -C "$copy" fuzzers >"$copy/$1.log" 2>&1 ||
		{ echo "FAILED   fuzz_$1: not built"; tail "$copy/$1.log"; return 1; }
	"$copy/tests/fuzz/run.sh" "$seconds" "$1" >"$copy/$1.log" 2>&1
	cp "$2" "$copy/$2"
	if grep -q '^to repeat it: ' "$copy/$1.log"; then
		echo "ok       fuzz_$1 finds what is planted in $2"
	else
		echo "FAILED   fuzz_$1 does not find what is planted in $2"
		return 1
	fi
}

mkdir -p "$copy"
cp -r src bpf include tests docs packaging Makefile vmlinux.h ptracescoped.service "$copy"
failed=0
while IFS=$'\t' read -r name file planted; do
	[ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
	one "$name" "$file" "$planted" || failed=1
done < <(plants)
exit $failed
