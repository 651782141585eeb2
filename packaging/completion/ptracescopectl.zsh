#compdef ptracescopectl
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of ptracescopectl for zsh. The program itself has the words.

local line word
local -a whole whole_shown begun begun_shown

for line in "${(@f)$(ptracescopectl complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
	word=${line%%$'\t'*}
	if [[ $word == *[=/] ]]; then
		begun+=("$word")
		begun_shown+=("$word")
	elif [[ -n $word ]]; then
		whole+=("$word")
		whole_shown+=("${line/$'\t'/  -- }")
	fi
done
compadd -l -d whole_shown -a whole
compadd -l -S '' -d begun_shown -a begun
