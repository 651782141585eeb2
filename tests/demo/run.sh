#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Build the demo's programs and run its story in a throwaway guest; the host stays as it is.
set -eu
cd "$(dirname "$0")/../.."

tree=build/demo
rm -rf "$tree"
mkdir -p "$tree/usr/bin"
for program in vault steal; do
	${CC:-gcc} -std=gnu11 -O2 -Wall -Wextra -D_GNU_SOURCE \
		-o "$tree/usr/bin/$program" "tests/demo/$program.c"
done
make -s install DESTDIR="$tree"
echo "Booting a guest with ${KERNEL:-a 6.12 kernel}; under emulation that takes some seconds ..."
colour=
[ -t 1 ] || colour=NO_COLOR=1	# reaches the guest's environment
exec tests/vm/boot.sh --append "$colour" --kernel "${KERNEL:-6.12}" --lsm no-yama --product "$tree" tests/demo/story.sh
