# SPDX-License-Identifier: GPL-2.0-or-later
# Judge the TAP output of one case. Prints "PASSED FAILED" and then a line for each problem.
# The plan counts: a test that is missing has failed, and so has one that was skipped.

function problem(text) {
	problems[++n_problems] = text
}

{ sub(/\r$/, "") }

/^1\.\.[0-9]+/ {
	if (planned != "")
		problem("a second plan: " $0)
	planned = substr($1, 4) + 0
	if ($0 !~ /^1\.\.[0-9]+$/)
		problem("not a plan to accept: " $0)
	next
}

/^(not )?ok([ \t]|$)/ {
	bad = ($1 == "not")
	number = bad ? $3 : $2
	if (number != ++seen)
		problem("test " seen " expected, not: " $0)
	# "\\#" is an escaped hash sign, which starts no directive.
	if (tolower($0) ~ /[^\\]#[ \t]*(skip|todo)/) {
		problem("skips and todos are failures: " $0)
		bad = 1
	} else if (bad) {
		problem($0)
	}
	if (bad)
		failed++
	else
		passed++
	next
}

/^Bail out!/ { problem($0) }

END {
	if (planned == "")
		problem("no plan")
	else if (planned == 0)
		problem("no tests")
	else if (planned != seen + 0)
		problem(planned " tests planned, " seen + 0 " seen")
	if (planned > seen)
		failed += planned - seen
	if (n_problems && !failed)
		failed = 1
	print passed + 0, failed + 0
	for (i = 1; i <= n_problems; i++)
		print problems[i]
}
