# SPDX-License-Identifier: GPL-2.0-or-later
# An SVG chart: what an attach check costs over the bare kernel as tracers are declared, on
# the newest kernel of the results. Logarithmic both ways; colours for light and dark pages.

BEGIN {
	FS = "\t"
	row = "attach-capable"
	left = 70; top = 46; width = 560; height = 250
	low = 100; high = 1000000	# instructions
}

$2 == "fact" && $3 == "kernel" {
	kernel = $1
	release = $4
}

$2 == "cost" && $5 == "-" && $6 == row { cost[$1, $3, $4] = $7 }

function log10(x) { return log(x) / log(10) }
# 0 comes a step before 1,000.
function x_of(declared) { return left + width * (declared ? log10(declared) - 2 : 0.35) / 3.35 }
function y_of(value) { return top + height * (log10(high) - log10(value)) / (log10(high) - log10(low)) }

function line(who, colour, name, i, points, x, y, last_x, last_y) {
	for (i = 0; i < 4; i++) {
		if (!((kernel, who, levels[i]) in cost))
			continue
		last_x = x_of(levels[i])
		last_y = y_of(cost[kernel, who, levels[i]] - cost[kernel, "bare", 0])
		points = points sprintf(" %.1f,%.1f", last_x, last_y)
		printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", last_x, last_y, colour
	}
	printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", points, colour
	printf "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\" text-anchor=\"end\">%s</text>\n",
		last_x - 8, last_y - 10, colour, name
}

END {
	split("0 1000 10000 100000", l, " ")
	for (i = 0; i < 4; i++)
		levels[i] = l[i + 1]
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" " \
		"font-family=\"sans-serif\" font-size=\"12\">\n", left + width + 30, top + height + 50
	grey = "#808080"
	printf "<text x=\"%d\" y=\"20\" fill=\"%s\" font-size=\"14\">Instructions that an attach check adds, " \
		"by declared tracers (Linux %s)</text>\n", left, grey, release
	for (value = low; value <= high; value *= 10) {
		y = y_of(value)
		printf "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-opacity=\"0.35\"/>\n",
			left, left + width, y, y, grey
		printf "<text x=\"%d\" y=\"%.1f\" fill=\"%s\" text-anchor=\"end\">%d</text>\n",
			left - 8, y + 4, grey, value
	}
	for (i = 0; i < 4; i++)
		printf "<text x=\"%.1f\" y=\"%d\" fill=\"%s\" text-anchor=\"middle\">%d</text>\n",
			x_of(levels[i]), top + height + 20, grey, levels[i]
	printf "<text x=\"%d\" y=\"%d\" fill=\"%s\">by a stranger with CAP_SYS_PTRACE, scope 1</text>\n",
		left, top + height + 40, grey
	line("yama", "#d9822b", "Yama")
	line("ours", "#2b83ba", "ptracescoped")
	print "</svg>"
}
