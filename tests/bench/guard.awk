# SPDX-License-Identifier: GPL-2.0-or-later
# Compare two results of the plan "guard": recorded ones, and new ones. What counts is what our
# programs add, so that another build of the kernel alone fails nothing; 5% of the whole is
# room, and 10% for "thread" and "pipe", of which two measurements differ by 1% and 3%, and for the
# daemon's start, which is the kernel's and libbpf's work. Exit code 1 when something costs more.

BEGIN {
	FS = "\t"
	room["thread"] = room["pipe"] = 0.10
}

$2 == "fact" && $3 == "daemon-start" {
	if (FNR == NR)
		old_start = $4
	else
		new_start = $4
}

$2 != "cost" { next }

FNR == NR {
	old[$3, $4, $5, $6] = $7
	next
}

{
	new[$3, $4, $5, $6] = $7
	if ($3 == "ours")
		keys[++n] = $3 SUBSEP $4 SUBSEP $5 SUBSEP $6
}

function added(values, key, part, bare) {
	split(key, part, SUBSEP)
	bare = "bare" SUBSEP 0 SUBSEP "-" SUBSEP part[4]
	return values[key] - ((bare in values) ? values[bare] : 0)
}

END {
	for (i = 1; i <= n; i++) {
		key = keys[i]
		split(key, part, SUBSEP)
		if (!(key in old)) {
			printf "FAILED %s: nothing is recorded\n", part[4]
			failed++
			continue
		}
		checked++
		excess = added(new, key) - added(old, key)
		if (excess > old[key] * (part[4] in room ? room[part[4]] : 0.05)) {
			printf "FAILED %s, %d declared: %d of our own where %d are recorded\n",
				part[4], part[2], added(new, key), added(old, key)
			failed++
		}
	}
	for (key in old)
		if (key ~ /^ours/ && !(key in new)) {
			split(key, part, SUBSEP)
			printf "FAILED %s was not measured\n", part[4]
			failed++
		}
	checked++
	if (!old_start || !new_start || new_start > old_start * 1.1) {
		printf "FAILED the daemon starts in %d where %d are recorded\n", new_start, old_start
		failed++
	}
	if (checked < 2) {
		print "FAILED nothing was compared"
		failed++
	}
	printf "%d rows compared, %d failed\n", checked, failed
	exit failed > 0
}
