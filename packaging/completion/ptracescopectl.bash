# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of ptracescopectl for bash, loaded by bash-completion. The program itself has the words.

_ptracescopectl()
{
	local cur words cword word candidate settled='' given=() breaks=${COMP_WORDBREAKS//[^=:]/}

	# bash would split NAME=VALUE into three words.
	_get_comp_words_by_ref -n =: cur words cword || return
	for word in "${words[@]:1:cword-1}" "$cur"; do
		# shellcheck disable=SC2162 # without -r, backslashes are taken off
		IFS='' read word <<<"$word"
		given+=("$word")
	done
	[[ -z $breaks ]] || settled=${cur%"${cur##*[$breaks]}"}
	COMPREPLY=()
	while IFS=$'\t' read -r candidate _; do
		printf -v candidate %q "$candidate"
		COMPREPLY+=("${candidate#"$settled"}")
	done < <(ptracescopectl complete "${given[@]}" 2>/dev/null)
	[[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *[=/] ]] || compopt -o nospace
}

complete -F _ptracescopectl ptracescopectl
