# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of ptracescopectl for fish. The program itself has the words.

function __ptracescopectl_complete
	set -l words (commandline -opc)
	ptracescopectl complete $words[2..] (commandline -ct | string unescape) 2>/dev/null
end

complete -c ptracescopectl -f -a '(__ptracescopectl_complete)'
