# SPDX-License-Identifier: GPL-2.0-or-later
# The results as tables, a kernel after another: instructions for one call. "+N" is over the
# bare kernel; for Yama and ours that is what the check costs.

BEGIN { FS = "\t" }

$2 == "fact" {
	if (!(($1, $3) in fact))
		facts[$1] = facts[$1] " " $3
	fact[$1, $3] = $4
	if (!($1 in seen))
		kernels[++n_kernels] = $1
	seen[$1] = 1
	next
}

$2 == "cost" {
	cost[$1, $3, $4, $5, $6] = $7
	if (!($6 in row_seen))
		rows[++n_rows] = $6
	row_seen[$6] = 1
	column = $3 " " $4 " " $5
	if ($3 != "bare" && !(($1, column) in column_seen))
		columns[$1, ++n_columns[$1]] = column
	column_seen[$1, column] = 1
}

function title(column, word) {
	split(column, word, " ")
	if (word[3] != "-")
		return word[3]
	if (word[2] > 0)
		return word[1] " " (word[2] >= 1000 ? word[2] / 1000 "k" : word[2])
	return word[1]
}

function cell(kernel, column, row, word, key, base) {
	split(column, word, " ")
	if (!((kernel, word[1], word[2], word[3], row) in cost))
		return "-"
	key = cost[kernel, word[1], word[2], word[3], row]
	if (!((kernel, "bare", 0, "-", row) in cost))
		return key
	return sprintf("%+d", key - cost[kernel, "bare", 0, "-", row])
}

# One table of the columns that @wanted matches.
function table(kernel, heading, wanted, i, j, line, rule, there, text) {
	line = "| " heading " | bare |"
	rule = "|---|--:|"
	for (j = 1; j <= n_columns[kernel]; j++)
		if (columns[kernel, j] ~ wanted) {
			line = line " " title(columns[kernel, j]) " |"
			rule = rule "--:|"
		}
	print line
	print rule
	for (i = 1; i <= n_rows; i++) {
		line = "| " rows[i] " | " \
			(((kernel, "bare", 0, "-", rows[i]) in cost) ? cost[kernel, "bare", 0, "-", rows[i]] : "-") " |"
		there = 0
		for (j = 1; j <= n_columns[kernel]; j++)
			if (columns[kernel, j] ~ wanted) {
				text = cell(kernel, columns[kernel, j], rows[i])
				there += text != "-"
				line = line " " text " |"
			}
		if (there)
			print line
	}
	print ""
}

END {
	for (k = 1; k <= n_kernels; k++) {
		kernel = kernels[k]
		printf "### Linux %s\n\n", fact[kernel, "kernel"]
		table(kernel, "declared tracers", "^(empty|ours|yama) [0-9]+ -$")
		table(kernel, "entries of cgroups, floor", "^ours [0-9]+ [a-z]")
		print "| the daemon and its programs | |"
		print "|---|--:|"
		n = split(facts[kernel], name, " ")
		for (i = 1; i <= n; i++)
			if (name[i] != "kernel")
				printf "| %s | %s |\n", name[i], fact[kernel, name[i]]
		print ""
	}
}
