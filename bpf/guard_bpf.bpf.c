// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the programs and their maps are protected under a floor: the guards of bpf(2).
 *
 *   psc_g_load     lsm/bpf_prog_load              no program may overrule or extend ours
 *   psc_g_alloc    lsm/bpf_prog_alloc_security    the same before 6.9
 *   psc_g_prog     lsm/bpf_prog                   no new one uses the policy's maps
 *   psc_g_map      lsm/bpf_map                    nobody opens the policy's maps
 *   psc_g_id       lsm/bpf                        nor finds them by their ids
 *
 * psc_g_sysctl and the second anchor, which are loaded when a first floor comes, are in
 * first_floor.bpf.c.
 */
#include "guard_bpf.bpf.h"

SEC("?lsm/bpf_prog_load")
int BPF_PROG(psc_g_load, struct bpf_prog *prog)
{
	return guard_load(BPF_CORE_READ(prog, aux));
}

SEC("?lsm/bpf_prog_alloc_security")
int BPF_PROG(psc_g_alloc, struct bpf_prog_aux *aux)
{
	return guard_load(aux);
}

SEC("lsm/bpf_prog")
int BPF_PROG(psc_g_prog, struct bpf_prog *prog)
{
	return guard_prog(prog);
}

SEC("lsm/bpf_map")
int BPF_PROG(psc_g_map, struct bpf_map *map)
{
	return guard_map(map);
}

SEC("lsm/bpf")
int BPF_PROG(psc_g_id, int cmd, union bpf_attr *attr)
{
	return guard_id(cmd, attr);
}
