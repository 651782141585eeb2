# SPDX-License-Identifier: GPL-2.0-or-later
# The results as a JSON array, an object for each.

BEGIN {
	FS = "\t"
	printf "["
}

{
	printf "%s\n  ", n++ ? "," : ""
	if ($2 == "fact")
		printf "{\"kernel\":\"%s\",\"fact\":\"%s\",\"value\":%s}", $1, $3,
			$4 ~ /^-?[0-9]+$/ ? $4 : "\"" $4 "\""
	else
		printf "{\"kernel\":\"%s\",\"system\":\"%s\",\"declared\":%s,\"state\":\"%s\",\"row\":\"%s\",\"cost\":%s}",
			$1, $3, $4, $5, $6, $7
}

END { print "\n]" }
