# SPDX-License-Identifier: GPL-2.0-or-later
# What runs without locks, in Promela: each model holds, and each of its mutants does not.

MODEL_PACKAGES := spin

.PHONY: models

models:
	$(Q)tests/model/run.sh
