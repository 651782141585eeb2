# SPDX-License-Identifier: GPL-2.0-or-later
# `make help` lists the targets.

ifeq ($(origin CC),default)
  CC := gcc
endif
CLANG ?= clang
BPFTOOL ?= $(or $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool 2>/dev/null),bpftool)
PKG_CONFIG ?= pkg-config
INSTALL ?= install
CFLAGS ?= -O2 -g

PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
DOCDIR ?= $(PREFIX)/share/doc/ptracescoped
EXAMPLEDIR ?= $(DOCDIR)/examples
# podman and CRI-O look below /usr only.
OCIHOOKDIR ?= $(PREFIX)/share/containers/oci/hooks.d
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
# Debian's zsh looks below /usr into a directory of its own.
ZSHDIR ?= $(PREFIX)/share/zsh/$(if $(wildcard /etc/debian_version),vendor-completions,site-functions)

VERSION := 0.1.0
B := build$(if $(SANITIZE),/sanitize)

ifeq ($(V),1)
  Q :=
  msg =
else
  Q := @
  msg = @printf '  %-8s %s\n' "$(1)" "$(2)";
endif

# WERROR=1 makes warnings errors, as the tests do; not by default, as every new compiler has new ones.
WERROR ?=
WERROR_FLAG := $(if $(filter-out 0,$(WERROR)),-Werror)
WARN := -Wall -Wextra $(WERROR_FLAG) -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wundef -Wvla -Wformat=2 -Wno-missing-field-initializers
LIBS := libbpf libsystemd jansson
# Neither the binaries nor the build id of the programs tell where they were built.
# $(CURDIR) is for a shell: it may have spaces and quotes in it.
PREFIX_MAP := -ffile-prefix-map='$(subst ','\'',$(CURDIR))'=.
PSC_CFLAGS := $(PREFIX_MAP) -std=gnu11 $(WARN) -D_GNU_SOURCE -DPSC_VERSION='"$(VERSION)"' \
	-Iinclude -I$(B) $(shell $(PKG_CONFIG) --cflags $(LIBS) 2>/dev/null)
PSC_LDLIBS := $(shell $(PKG_CONFIG) --libs $(LIBS) 2>/dev/null)
PSC_LDFLAGS :=
ifdef SANITIZE
  SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
	$(if $(FUZZING),-fsanitize=fuzzer-no-link)
  PSC_CFLAGS += $(SAN)
  PSC_LDFLAGS += $(SAN)
else
  # What this compiler knows for this architecture: -fcf-protection is for x86 alone.
  cc-option = $(shell $(CC) -Werror $(1) -O2 -c -x c /dev/null -o /dev/null 2>/dev/null && echo '$(1)')
  PSC_CFLAGS += -fPIE $(foreach f,-fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-mbranch-protection=standard,$(call cc-option,$f))
  # The C library checks sizes only in what is optimized. A -D of one's own in CFLAGS is replaced.
  ifneq ($(filter-out -O0,$(filter -O%,$(CFLAGS))),)
    PSC_CFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
  endif
  PSC_LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif

# BPF: -mcpu=v3 for compare-and-swap; vmlinux.h is the project's own, trimmed.
VMLINUX_H ?= vmlinux.h
BPF_CFLAGS ?= -O2 -g
PSC_BPF_CFLAGS := $(PREFIX_MAP) -target bpf -mcpu=v3 -Wall -Wextra $(WERROR_FLAG) \
	-Wno-missing-declarations \
	-Wno-unused-parameter -Iinclude -Ibpf -I$(dir $(VMLINUX_H))

# A file includes headers of its own directory and of the directories named here, and no others.
ROOMS := common daemon daemon/config daemon/enforce daemon/report daemon/socket ctl
ROOMS_common :=
# ptracescopectl checks the file that it writes as the daemon will.
ROOMS_ctl := common daemon/config
ROOMS_daemon := common $(filter daemon/%,$(ROOMS))
$(foreach r,$(filter daemon/%,$(ROOMS)),$(eval ROOMS_$r := common))
# Tests, which include any.
TEST_INCLUDES := $(ROOMS:%=-Isrc/%)

MAINS := src/daemon/main.c src/ctl/main.c
SRCS := $(filter-out $(MAINS),$(wildcard $(ROOMS:%=src/%/*.c)))
HDRS := $(wildcard include/*.h $(ROOMS:%=src/%/*.h))
OBJS := $(SRCS:src/%.c=$(B)/src/%.o)
BPF_UNITS := $(patsubst bpf/%.c,$(B)/bpf/%.o,$(wildcard bpf/*.bpf.c))
BPF_OBJS := $(B)/ptracescope.bpf.o $(B)/first_floor.bpf.o
BINS := $(B)/ptracescoped $(B)/ptracescopectl
UNIT_SRCS := $(wildcard tests/unit/test_*.c)
UNITS := $(UNIT_SRCS:tests/unit/%.c=$(B)/tests/%)

-include tests/vm/vm.mk
-include tests/bench/bench.mk
-include tests/model/model.mk
-include tests/fuzz/fuzz.mk
-include tests/lint/lint.mk

# Everything that building, testing and the demo need on Debian, and nothing else.
BUILD_PACKAGES := gcc libc6-dev make pkg-config clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev \
	libjansson-dev libsystemd-dev
COMPLETION_PACKAGES := tmux bash-completion zsh fish
TEST_PACKAGES := libcmocka-dev $(COMPLETION_PACKAGES) $(MODEL_PACKAGES) $(FUZZ_PACKAGES) \
	$(LINT_PACKAGES) \
	$(GUEST_PACKAGES) $(VM_PACKAGES)
DEMO_PACKAGES := $(GUEST_PACKAGES)

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all have-deps deps check check-run check-fast check-unit check-completion check-fresh demo \
	drawing demo-run lock-table deb rpm install uninstall clean distclean units FORCE help

all: $(BINS)

help:
	@echo 'make                 build the daemon, the CLI and the BPF programs'
	@echo 'make demo            show what it does, in a throwaway guest'
	@echo 'make check           all tests; KERNELS="6.1 6.12 unstable" picks the kernels'
	@echo 'make check-fast      the unit tests and the main guest tests on one kernel'
	@echo 'make check-unit      the unit tests and what "make install" copies: no root, no network but lo, no'
	@echo '                     guests, installs nothing; SANITIZE=1 to have them under sanitizers'
	@echo 'make lint            check the sources: lengths, shell scripts, spelling, manuals, cppcheck,'
	@echo '                     clang-tidy; LINT_BASE=COMMIT to check the format of what changed since'
	@echo 'make check-completion  the completion of bash, zsh and fish in a terminal'
	@echo 'make models          check the models of what runs without locks (tests/model/)'
	@echo 'make fuzz            run the fuzzers (tests/fuzz/) for FUZZ_SECONDS=60 each'
	@echo 'make check-fresh     both commands of the README in chroots of fresh minimal Debians'
	@echo 'make lock-table      measure the table of docs/lock.md again'
	@echo 'make drawing         draw docs/design.svg again, of docs/design.dot'
	@echo 'make bench           what checks cost, in guests; a table, and build/bench/chart.svg'
	@echo 'make bench-native    the same on this machine, which needs BPF LSM and no Yama'
	@echo 'make deb             Debian packages, in clean chroots; SUITES="bookworm trixie sid"'
	@echo 'make rpm             the RPM for Fedora and EL 10, with rpmbuild of Debian'
	@echo 'make deps            install the Debian packages that all of this needs'
	@echo 'make install         copy files; DESTDIR=, PREFIX=/usr'
	@echo 'make uninstall       remove them again; refused while enforcement is on, but for FORCE=1'
	@echo 'Variables: WERROR=1, CC, CLANG, BPFTOOL, CFLAGS, BPF_CFLAGS, LDFLAGS, V=1, SANITIZE=1, VMLINUX_H=FILE'

# --- what it takes ---

have-deps:
	@$(PKG_CONFIG) --exists $(LIBS) 2>/dev/null && command -v $(CLANG) >/dev/null && \
		command -v $(BPFTOOL) >/dev/null || { \
		echo 'Something that the build needs is missing: "make deps" installs it.' >&2; exit 1; }

# What "make deps" sees to; what it is called for may take less.
WANTED = $(BUILD_PACKAGES) $(TEST_PACKAGES)
demo: WANTED = $(BUILD_PACKAGES) $(DEMO_PACKAGES)

# Installs nothing when nothing is missing, so that it may run without privileges and networks.
deps:
	@tests/deps.sh $(WANTED)

# Changed whenever a variable that goes into the objects does, so that they are built anew.
FLAGS := $(CC) $(CFLAGS) $(PSC_CFLAGS) | $(CLANG) $(BPF_CFLAGS) $(PSC_BPF_CFLAGS) | $(LDFLAGS) \
	$(PSC_LDFLAGS) $(PSC_LDLIBS) $(LDLIBS)
$(B)/flags: FORCE | $(B)/src
	@echo '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || echo '$(subst ','\'',$(FLAGS))' > $@

FORCE:

# --- the programs ---

$(B)/ptracescoped: $(B)/src/daemon/main.o $(B)/libptracescope.a
$(B)/ptracescopectl: $(B)/src/ctl/main.o $(B)/libptracescope.a
$(BINS):
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(PSC_LDFLAGS) $(LDFLAGS) -o $@ $^ $(PSC_LDLIBS) $(LDLIBS)

$(B)/libptracescope.a: $(OBJS)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/src/%.o: src/%.c $(B)/flags | $(B)/src have-deps
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(PSC_CFLAGS) $(ROOMS_$(patsubst src/%/,%,$(dir $<)):%=-Isrc/%) \
		-MMD -MP -c -o $@ $<

# The skeleton must be there before what includes it is compiled the first time.
SKELETON_USERS := $(addprefix $(B)/src/daemon/enforce/,loader.o lock.o set.o) $(B)/tests/test_pins
$(SKELETON_USERS): $(BPF_OBJS:%.bpf.o=%.skel.h)

$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(B)/flags | $(B)/src have-deps
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(PSC_BPF_CFLAGS) -MMD -MP -c -o $@ $<

# Two objects: the set that is always in force, and what is loaded just before a first floor. The
# maps come first: bpftool 7.1 loses the place of a variable that it meets as extern before.
MAPS_UNIT := $(B)/bpf/maps.bpf.o
$(B)/ptracescope.bpf.o: $(MAPS_UNIT) $(filter-out $(MAPS_UNIT) %/first_floor.bpf.o,$(BPF_UNITS))
$(B)/first_floor.bpf.o: $(MAPS_UNIT) $(B)/bpf/first_floor.bpf.o
$(BPF_OBJS):
	$(call msg,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(B)/%.skel.h: $(B)/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(B)/src $(B)/tests:
	$(Q)mkdir -p $@

# --- tests ---

$(B)/tests/test_%: tests/unit/test_%.c $(B)/libptracescope.a | $(B)/tests
	$(call msg,TEST,$@)
	$(Q)$(CC) $(CFLAGS) $(PSC_CFLAGS) $(TEST_INCLUDES) -Itests/unit -MMD -MP -MF $@.d \
		$(PSC_LDFLAGS) $(LDFLAGS) \
		-o $@ $< $(B)/libptracescope.a $(PSC_LDLIBS) $(LDLIBS) -lcmocka

units: $(UNITS)

$(B)/tests/completion/ptracescopectl: tests/completion/ctl.c $(B)/libptracescope.a
	$(call msg,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(PSC_CFLAGS) $(TEST_INCLUDES) $(PSC_LDFLAGS) $(LDFLAGS) -o $@ $^ \
		$(PSC_LDLIBS) $(LDLIBS)

# The guests share downloads and images, so the parts run one after another.
check: deps
	$(Q)$(MAKE) --no-print-directory check-run

check-run:
	$(Q)tests/check.sh

check-fast: deps
	$(Q)FAST=1 tests/check.sh

# For the build of a package, too: it needs what the build needs, and cmocka.
check-unit:
	$(Q)UNIT_ONLY=1 SANITIZE='$(SANITIZE)' tests/check.sh

# Keys in a terminal; the words themselves are tested with the units.
check-completion: all
	$(Q)tests/completion/run.sh

# SUITES="bookworm trixie" and STEPS="deps build unit demo", or "check", pick some of it.
check-fresh:
	$(Q)tests/fresh.sh $(SUITES)

# What the same attacks achieve against Yama and against us.
lock-table: deps
	$(Q)tests/lock-table.sh

# The result is in the tree, so that nothing else needs graphviz.
drawing: WANTED = graphviz
drawing: deps
	dot -Tsvg docs/design.dot -o docs/design.svg

demo: deps
	$(Q)$(MAKE) --no-print-directory demo-run

demo-run: all
	$(Q)tests/demo/run.sh

# --- installation: copies files, does nothing else ---

MAN8 := docs/ptracescoped.8 docs/ptracescopectl.8
MAN7 := docs/ptracescope.7
MAN5 := docs/ptracescope.conf.5
DOCS := docs/without-systemd.md
# Installed, and started by who wants metrics to be scraped.
METRICS_UNITS := ptracescope-metrics.socket ptracescope-metrics@.service
EXAMPLES := packaging/systemd/service-drop-in.conf packaging/dbus/ptracescope-attach.conf
# The hook for containers that ask for a scope is in force at once, a node's default is an example.
OCIHOOKS := $(OCIHOOKDIR)/ptracescope.json $(EXAMPLEDIR)/ptracescope-default.json
COMPLETIONS := $(BASHDIR)/ptracescopectl $(ZSHDIR)/_ptracescopectl $(FISHDIR)/ptracescopectl.fish

install: all
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(MANDIR)/man5 \
		$(DESTDIR)$(EXAMPLEDIR) \
		$(DESTDIR)$(OCIHOOKDIR) $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	$(INSTALL) -m 755 $(B)/ptracescoped $(DESTDIR)$(SBINDIR)/
	$(INSTALL) -m 755 $(B)/ptracescopectl $(DESTDIR)$(BINDIR)/
	sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@BINDIR@|$(BINDIR)|g' ptracescoped.service \
		> $(DESTDIR)$(UNITDIR)/ptracescoped.service
	chmod 644 $(DESTDIR)$(UNITDIR)/ptracescoped.service
	$(foreach f,$(METRICS_UNITS),sed 's|@BINDIR@|$(BINDIR)|g' packaging/systemd/$f \
		> $(DESTDIR)$(UNITDIR)/$f && chmod 644 $(DESTDIR)$(UNITDIR)/$f &&) :
	$(foreach f,$(OCIHOOKS),sed 's|@BINDIR@|$(BINDIR)|g' packaging/oci/$(notdir $f) > $(DESTDIR)$f && \
		chmod 644 $(DESTDIR)$f &&) :
	$(INSTALL) -m 644 $(MAN8) $(DESTDIR)$(MANDIR)/man8/
	$(INSTALL) -m 644 $(MAN7) $(DESTDIR)$(MANDIR)/man7/
	$(INSTALL) -m 644 $(MAN5) $(DESTDIR)$(MANDIR)/man5/
	$(INSTALL) -m 644 $(DOCS) $(DESTDIR)$(DOCDIR)/
	$(INSTALL) -m 644 $(EXAMPLES) $(DESTDIR)$(EXAMPLEDIR)/
	$(INSTALL) -m 644 packaging/completion/ptracescopectl.bash $(DESTDIR)$(BASHDIR)/ptracescopectl
	$(INSTALL) -m 644 packaging/completion/ptracescopectl.zsh $(DESTDIR)$(ZSHDIR)/_ptracescopectl
	$(INSTALL) -m 644 packaging/completion/ptracescopectl.fish $(DESTDIR)$(FISHDIR)/

# Enforcement does not end with the files, and the CLI is what ends it.
PIN_DIR := /sys/fs/bpf/ptracescope
uninstall:
	@[ -n '$(DESTDIR)$(filter-out 0,$(FORCE))' ] || { [ ! -e $(PIN_DIR) ] && [ ! -e $(PIN_DIR)-daemon/staging ]; } || { \
		echo 'ptracescoped is in force on this system, and would stay so: run "ptracescopectl detach" first.' >&2; \
		echo 'Under a floor that is refused: run "systemctl disable ptracescoped", reboot, and then' >&2; \
		echo '"make uninstall"; or "make uninstall FORCE=1" now, and enforcement ends with the reboot.' >&2; \
		exit 1; }
	rm -f $(DESTDIR)$(SBINDIR)/ptracescoped $(DESTDIR)$(BINDIR)/ptracescopectl \
		$(DESTDIR)$(UNITDIR)/ptracescoped.service \
		$(METRICS_UNITS:%=$(DESTDIR)$(UNITDIR)/%) $(OCIHOOKS:%=$(DESTDIR)%) \
		$(MAN8:docs/%=$(DESTDIR)$(MANDIR)/man8/%) $(MAN7:docs/%=$(DESTDIR)$(MANDIR)/man7/%) \
		$(MAN5:docs/%=$(DESTDIR)$(MANDIR)/man5/%) \
		$(DOCS:docs/%=$(DESTDIR)$(DOCDIR)/%) \
		$(addprefix $(DESTDIR)$(EXAMPLEDIR)/,$(notdir $(EXAMPLES))) $(COMPLETIONS:%=$(DESTDIR)%)
	rmdir $(DESTDIR)$(EXAMPLEDIR) $(DESTDIR)$(DOCDIR) 2>/dev/null || :

# --- packages, left in build/deb and build/rpm ---

deb: WANTED = mmdebstrap uidmap debian-archive-keyring iproute2 git
deb: deps
	$(Q)packaging/deb.sh $(SUITES)

rpm: WANTED = $(BUILD_PACKAGES) libcmocka-dev rpm git
rpm: deps
	$(Q)packaging/rpm.sh

# Downloads and guest images stay; distclean removes them as well.
clean:
	rm -rf build/src build/bpf build/*.bpf.o build/*.skel.h build/tests build/sanitize build/clang build/next build/abi build/demo build/ptracescop* \
		build/libptracescope.a build/check.log build/vm/cases build/vm/progs build/vm/product build/vm/packages \
		build/vm/logs build/bench build/deb build/rpm build/model build/fuzz

distclean:
	rm -rf build

-include $(OBJS:.o=.d) $(MAINS:src/%.c=$(B)/src/%.d) $(BPF_UNITS:.o=.d) $(UNITS:%=%.d)
