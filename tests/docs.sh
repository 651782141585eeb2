#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The tables of docs/containers.md are those that tests/vm/cases/containers checks.
set -eu
cd "$(dirname "$0")/.."

# tables FILE: the rows that have a "yes" or "no".
tables() {
	grep -E '^\|.*\| (yes|no) \|' "$1" | sort
}

[ "$(tables docs/containers.md | wc -l)" -eq 9 ]
[ "$(tables docs/containers.md)" = "$(tables tests/vm/cases/containers)" ]
