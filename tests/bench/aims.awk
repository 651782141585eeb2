# SPDX-License-Identifier: GPL-2.0-or-later
# What was aimed at against what was measured, a column for each kernel; what is missed is
# in bold. "added" is over the bare kernel.

BEGIN { FS = "\t" }

!($1 in seen) {
	seen[$1] = 1
	kernels[++n_kernels] = $1
}

$2 == "fact" { fact[$1, $3] = $4 }

$2 == "cost" {
	cost[$1, $3, $4, $5, $6] = $7
	rows[$6] = 1
	if ($3 == "ours" && $4 > most[$1])
		most[$1] = $4
}

function whole(k, who, declared, state, row) {
	return cost[k, who, declared, state, row]
}

function added(k, who, declared, state, row) {
	return cost[k, who, declared, state, row] - cost[k, "bare", 0, "-", row]
}

# One call, the same to the instruction from boot to boot: no processes made, no files.
function steady(row) { return row ~ /^(attach-(classic|parent|ancestor|declared|capable|refused)|read|prctl)/ }

function cell(value, format, missed) {
	return sprintf(missed ? " **" format "** |" : " " format " |", value)
}

function over_floor(k, row, limit, ratio) {
	ratio = added(k, "ours", 0, "-", row) / added(k, "empty", 0, "-", row)
	return cell(ratio, "%.2f", ratio > limit)
}

function over_bare(k, row, limit, ratio) {
	ratio = whole(k, "ours", 0, "-", row) / whole(k, "bare", 0, "-", row)
	return cell(ratio, "%.3f", ratio > limit)
}

# The most by which a state makes a row dearer than another, each with so many declared tracers.
function worst(k, declared, state, base_declared, base, row, ratio, most_so_far) {
	for (row in rows)
		if (steady(row) && ((k, "ours", declared, state, row) in cost)) {
			ratio = whole(k, "ours", declared, state, row) / \
				whole(k, "ours", base_declared, base, row)
			if (ratio > most_so_far)
				most_so_far = ratio
		}
	return most_so_far
}

function all_declared(k, ratio) {
	ratio = worst(k, most[k], "-", 0, "-")
	return cell(ratio, "%.3f", ratio > 1.03)
}

function many_entries(k, depth, ratio, most_so_far) {
	for (depth = 1; depth <= 16; depth *= 4) {
		ratio = worst(k, most[k], "cgroups-10000-depth-" depth, most[k], "cgroups-1-depth-" depth)
		if (ratio > most_so_far)
			most_so_far = ratio
	}
	return cell(most_so_far, "%.3f", most_so_far > 1.03)
}

function level(k, row, of_one, most_so_far) {
	for (row in rows)
		if (steady(row)) {
			of_one = (whole(k, "ours", most[k], "cgroups-1-depth-16", row) - \
				  whole(k, "ours", most[k], "cgroups-1-depth-1", row)) / 15
			if (of_one > most_so_far)
				most_so_far = of_one
		}
	return cell(most_so_far, "%.0f", most_so_far > 40)
}

# From how many declared tracers on a stranger's attach is cheaper than with Yama.
function break_even(k, none, each, from) {
	none = added(k, "yama", 0, "-", "attach-capable")
	each = (added(k, "yama", 10000, "-", "attach-capable") - none) / 10000
	from = (added(k, "ours", 0, "-", "attach-capable") - none) / each
	return cell(from, "%.0f", from > 500)
}

function times_cheaper(k, times) {
	times = added(k, "yama", 10000, "-", "attach-capable") / \
		added(k, "ours", 10000, "-", "attach-capable")
	return cell(times, "%.0f", times < 20)
}

# The estimate of docs/performance.md: what libbpf does, as it was measured natively, and the
# rest of the instructions at 4.2 for a nanosecond.
function start_ms(k) { return 36 + (fact[k, "daemon-start"] - 231e6) / 4.2e6 }

function line(aim, what, i, k, text) {
	text = "| " aim " |"
	for (i = 1; i <= n_kernels; i++) {
		k = kernels[i]
		if (what == "prctl") text = text over_floor(k, "prctl", 1.1)
		if (what == "read") text = text over_floor(k, "read-check", 1.1)
		if (what == "classic") text = text over_floor(k, "attach-classic", 1.1)
		if (what == "parent") text = text over_floor(k, "attach-parent", 1.5)
		if (what == "declared") text = text all_declared(k)
		if (what == "even") text = text break_even(k)
		if (what == "times") text = text times_cheaper(k)
		if (what == "entries") text = text many_entries(k)
		if (what == "level") text = text level(k)
		if (what == "thread") text = text over_bare(k, "thread", 1.01)
		if (what == "fork") text = text over_bare(k, "fork", 1.01)
		if (what == "walk") text = text over_bare(k, "proc-walk-500", 1.02)
		if (what == "rss") text = text cell(fact[k, "daemon-rss-kib"] / 1024, "%.1f MiB", fact[k, "daemon-rss-kib"] > 6144)
		if (what == "idle") text = text cell(fact[k, "daemon-wakeups-in-120-s"], "%d", fact[k, "daemon-wakeups-in-120-s"] > 0)
		if (what == "start") text = text cell(start_ms(k), "%.0f ms", start_ms(k) > 150)
	}
	print text
}

END {
	heading = "| aim |"
	rule = "|---|"
	for (i = 1; i <= n_kernels; i++) {
		heading = heading " " fact[kernels[i], "kernel"] " |"
		rule = rule "--:|"
	}
	print heading
	print rule
	line("an unrelated prctl adds at most 1.1 x floor", "prctl")
	line("a READ check at read scope 0: 1.1 x", "read")
	line("an attach at scope 0: 1.1 x", "classic")
	line("an attach by a parent at scope 1: 1.5 x", "parent")
	line("the most declared tracers against none, the worst row: 1.03 x", "declared")
	line("cheaper than Yama from this many declared tracers on: 500", "even")
	line("times cheaper than Yama at 10,000: 20", "times")
	line("10,000 cgroup entries against one, the worst row: 1.03 x", "entries")
	line("a level of cgroups, in the worst row: 40", "level")
	line("a thread, in whole: 1.01 x bare", "thread")
	line("a fork, in whole: 1.01 x bare", "fork")
	line("a walk over /proc, in whole: 1.02 x bare", "walk")
	line("the daemon's resident memory: 6 MiB", "rss")
	line("its wake-ups in two idle minutes: none", "idle")
	line("from exec to enforcing, as estimated: 150 ms", "start")
	print ""
}
