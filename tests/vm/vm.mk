# SPDX-License-Identifier: GPL-2.0-or-later
# Guest tests; included by the top Makefile. KERNELS="6.12" picks kernels, CASES="a b" cases.

# The top Makefile includes this before its own first rule.
.DEFAULT_GOAL := all

VM := build/vm
# The verifier sees what the compiler makes, so one that is not Debian 12's has to do as well.
NEXT_CLANG := clang-19
# For one small guest, and for all the rest of the tests.
GUEST_PACKAGES := qemu-system-$(if $(filter aarch64 arm64,$(shell uname -m)),arm,x86) busybox-static \
	dash cpio kmod zstd xz-utils util-linux debian-archive-keyring
# The package conflicts with gdb, which does as well.
VM_PACKAGES := mmdebstrap uidmap debhelper $(NEXT_CLANG) $(if $(shell command -v gdb),,gdb-minimal)

# C cases, and programs that shell cases call by name: guests have build/vm/progs in PATH.
VM_CASES := $(patsubst tests/vm/%.c,$(VM)/%,$(wildcard tests/vm/cases/*.c))
VM_PROGS := $(patsubst tests/vm/%.c,$(VM)/%,$(wildcard tests/vm/progs/*.c))
DEMO_PROGS := $(VM)/progs/vault $(VM)/progs/steal

.PHONY: kernels vm-programs vm-product vm-packages check-vm check-vm-harness check-promtool

kernels:
	$(Q)tests/vm/kernels.sh

vm-programs: $(VM_CASES) $(VM_PROGS) $(DEMO_PROGS)

# A program that is too long for one file has the others in a directory of its own name.
$(foreach p,$(VM_CASES) $(VM_PROGS),$(eval $(p): $(wildcard tests/vm/$(notdir $(p))/*.[ch])))
# Worlds of the parity test, in which another program sets the scopes.
$(VM)/cases/explain_worlds: $(filter-out tests/vm/parity/scope.c,$(wildcard tests/vm/parity/*.[ch]))
$(VM_CASES) $(VM_PROGS): $(VM)/%: tests/vm/%.c $(HDRS) $(wildcard tests/vm/*.h) \
		$(B)/libptracescope.a | $(VM)/cases $(VM)/progs
	$(call msg,VM,$@)
	$(Q)$(CC) $(CFLAGS) $(PSC_CFLAGS) $(TEST_INCLUDES) -Itests/vm -I$(VM) $(PSC_LDFLAGS) $(LDFLAGS) -o $@ \
		$(filter %.c,$^) $(filter %.a,$^) -Wl,--as-needed $(PSC_LDLIBS) $(LDLIBS) -pthread

$(DEMO_PROGS): $(VM)/progs/%: tests/demo/%.c | $(VM)/progs
	$(call msg,VM,$@)
	$(Q)$(CC) $(CFLAGS) $(PSC_CFLAGS) $(PSC_LDFLAGS) $(LDFLAGS) -o $@ $<

$(VM)/cases $(VM)/progs:
	$(Q)mkdir -p $@

# BPF programs that tests attach.
$(VM)/progs/holdat: $(VM)/hold.skel.h
$(VM)/progs/attack: $(VM)/overwrite.skel.h
.SECONDARY: $(VM)/hold.bpf.o $(VM)/overwrite.bpf.o
$(VM)/%.bpf.o: tests/vm/bpf/%.bpf.c $(VMLINUX_H) $(B)/flags | $(VM)/progs
	$(call msg,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(PSC_BPF_CFLAGS) -c -o $@.tmp $<
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm $@.tmp

$(VM)/%.skel.h: $(VM)/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# What a user would install, which every guest gets; a daemon whose programs were built
# differently and by another compiler, for upgrades to and from; and what is for Kubernetes, the
# documents, whose examples are run, and the demo.
vm-product: all
	$(Q)rm -rf $(VM)/product
	$(Q)$(MAKE) --no-print-directory install DESTDIR=$(VM)/product PREFIX=/usr
	$(Q)$(MAKE) --no-print-directory B=build/next CLANG=$(NEXT_CLANG) BPF_CFLAGS="-O3 -g" \
		build/next/ptracescoped
	$(Q)install -m 755 build/next/ptracescoped $(VM)/product/usr/sbin/ptracescoped-next
	$(Q)$(MAKE) --no-print-directory B=build/abi BPF_CFLAGS="-O2 -g -DPSC_ABI=1" \
		CFLAGS="-O2 -g -DPSC_ABI=1" build/abi/ptracescoped
	$(Q)install -m 755 build/abi/ptracescoped $(VM)/product/usr/sbin/ptracescoped-abi
	$(Q)cp -R packaging/kubernetes README.md docs/*.md tests/demo/story.sh \
		$(VM)/product/usr/share/doc/ptracescoped/

# That the harness itself does not pass what has failed.
check-vm-harness:
	$(Q)tests/vm/selftest.sh

# That Prometheus accepts the metrics which the case "metrics" has left in its logs.
check-promtool:
	$(Q)tests/vm/promtool.sh

# DEB=FILE takes that package, of "make deb", in place of one that is built on this machine.
vm-packages: vm-product
	$(Q)tests/vm/packages.sh $(DEB)

check-vm: vm-product vm-programs $(if $(CASES),$(if $(filter package%,$(CASES)),vm-packages),vm-packages)
	$(Q)tests/vm/run.sh --product $(VM)/product $(CASES)
