#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The installed completion in real shells: keys are typed in a terminal, and its screen is read.
#
# usage: run.sh [bash|zsh|fish]...              default: all three
set -eu
cd "$(dirname "$0")/../.."

dir=$(mktemp -d /tmp/psc-completion.XXXXXX)
shell=''

terminal() {
	TMUX='' tmux -S "$dir/tmux-$shell" -f /dev/null "$@"
}
trap 'terminal kill-server 2>/dev/null || true; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

for tool in tmux bash zsh fish; do
	command -v $tool >/dev/null || { echo "$tool is missing; 'make deps' installs it" >&2; exit 1; }
done
"${MAKE:-make}" -s install DESTDIR="$dir/root" PREFIX=/usr ZSHDIR=/usr/share/zsh/site-functions
"${MAKE:-make}" -s build/tests/completion/ptracescopectl
share=$dir/root/usr/share
mkdir -p "$dir/home" "$dir/cgroups/init.scope" "$dir/cgroups/system.slice/a b.service" \
	"$dir/cgroups/system.slice/dev-x\\x2dy.device" "$dir/cgroups/system.slice/p:q@1.service/sub"
PATH=$PWD/build/tests/completion:$PATH
export PATH
export HOME="$dir/home" CGROUPS="$dir/cgroups" LC_ALL=C.UTF-8 HISTFILE=''
export XDG_CONFIG_HOME="$dir/home" XDG_DATA_HOME="$dir/home"

# Each begins with a prompt that is a line "$ ".
echo 'PS1="$ "; source /usr/share/bash-completion/bash_completion' >"$dir/bashrc"
echo "PS1='$ '; RPS1=; fpath=($share/zsh/site-functions \$fpath); autoload -Uz compinit; compinit -u -D" \
	>"$dir/home/.zshrc"
mkdir "$dir/home/fish"
echo 'function fish_prompt; echo -n "\$ "; end; set -g fish_greeting; set -g fish_autosuggestion_enabled 0' \
	>"$dir/home/fish/config.fish"

start() {
	case $1 in
	bash) set -- bash --noprofile --rcfile "$dir/bashrc" -i ;;
	zsh) set -- env ZDOTDIR="$dir/home" zsh -d -i ;;
	fish) set -- env XDG_DATA_DIRS="$share:/usr/share" fish -i ;;
	esac
	terminal new-session -d -x 160 -y 40 \
		env BASH_COMPLETION_USER_DIR="$share/bash-completion" "$@"
}

screen() {
	terminal capture-pane -p
}

# shows TEXT: wait until it is on the screen; the bound is a guard, not a measure.
shows() {
	for _ in $(seq 600); do
		if screen | grep -qF -e "$1"; then
			return 0
		fi
		sleep 0.1
	done
	return 1
}

# becomes TYPED WANTED: TYPED and a tab. The X in WANTED is where the next key has to appear.
becomes() {
	terminal send-keys C-u
	terminal send-keys -l "ptracescopectl $1"
	terminal send-keys Tab
	sleep 0.3
	terminal send-keys -l X
	result "$1" "$ ptracescopectl $2"
}

# lists TYPED WANTED...: what tabs show. bash wants two after the one that adds what is common.
lists() {
	typed=$1
	shift
	terminal send-keys C-u
	terminal send-keys -l "ptracescopectl $typed"
	for _ in 1 2 3; do
		terminal send-keys Tab
		sleep 0.3
	done
	for wanted; do
		result "$typed" "$wanted"
	done
	terminal send-keys C-c
	sleep 0.3
	terminal send-keys C-l
}

result() {
	if shows "$2"; then
		echo "ok       $shell: '$1' and Tab: $2"
	else
		echo "FAILED   $shell: '$1' and Tab does not show '$2', but:"
		screen | sed '/^$/d'
		exit 1
	fi
}

[ $# -gt 0 ] || set -- bash zsh fish
for shell; do
	start "$shell"
	shows '$' || { echo "FAILED   $shell gives no prompt"; screen; exit 1; }
	becomes 'cgr' 'cgroup X'
	becomes 'stat' 'status X'
	becomes 'get re' 'get read_scope X'
	becomes 'get kernel.y' 'get kernel.yama.ptrace_scope X'
	becomes 'set re' 'set reX'
	becomes 'set read' 'set read_scope=X'
	becomes 'set read_scope=a' 'set read_scope=admin-only X'
	becomes 'set --rev' 'set --revocable X'
	becomes 'set --per' 'set --persist X'
	becomes 'uns' 'unset X'
	becomes 'unset read' 'unset read_scope X'
	becomes '--json list --so' '--json list --socket X'
	becomes '--socket=/r' '--socket=/run/ptracescope/io.ptracescope X'
	becomes 'oci-hook --default=s' 'oci-hook --default=siblings X'
	becomes 'cgroup lo' 'cgroup lock X'
	becomes 'cgroup get i' 'cgroup get init.scope X'
	becomes 'cgroup get system.slice/a' 'cgroup get system.slice/a\ b.service X'
	becomes 'cgroup get system.slice/d' 'cgroup get system.slice/dev-x\\x2dy.device X'
	becomes 'cgroup get system.slice/dev-x\\x2d' 'cgroup get system.slice/dev-x\\x2dy.device X'
	becomes 'cgroup get system.slice/p:q@1.service/' 'cgroup get system.slice/p:q@1.service/sub X'
	becomes 'cgroup set system.slice/a\ b.service sib' 'cgroup set system.slice/a\ b.service siblings X'
	becomes 'cgroup set i read no' 'cgroup set i read no-attach X'
	becomes 'nonsense ' 'nonsense X'
	lists '' cgroup detach doctor get list lock oci-hook reload set status unset
	lists 'set read_scope=' admin-only classic no-attach restricted
	lists 'cgroup get s' system.slice system.slice/
	terminal kill-server
done
# What is installed has the same words.
[ "$("$dir/root/usr/bin/ptracescopectl" complete cgr)" = "$(ptracescopectl complete cgr)" ] ||
	{ echo "FAILED   the installed ptracescopectl completes nothing"; exit 1; }
