# SPDX-License-Identifier: GPL-2.0-or-later
# Checks of the sources: tests/lint/lint.sh.

LINT_PACKAGES := clang-format clang-tidy codespell cppcheck mandoc shellcheck

.PHONY: lint
# The skeletons are generated, and included.
lint: build/ptracescope.skel.h build/first_floor.skel.h
	$(Q)tests/lint/lint.sh
