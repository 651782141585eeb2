/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The setting of a cgroup is changed while others read it: entry_put() with replace, and
 * entry_read_words(), of bpf/.
 *
 * The entry of cgroup 1 is there all the time. It says scope 2 for ATTACH and for TRACEME, and
 * then 3 for both. A reader finds an entry, and in it the old policy or the new one, never
 * one scope of each. The entry of another cgroup is in the same bucket.
 *
 * MUTANT_BYTES: the policy is no single word.
 * MUTANT_REPLACE: the element is replaced (BPF_ANY) and not changed in place; then a reader
 *	that is at the other entry goes on to an element that has just been taken out.
 */
#define ELEMENTS 3
typedef element { byte key; byte next; byte attach; byte traceme; byte id };

#define copy_value(at, k) skip
#include "bucket.inc"

proctype psc_ctl()
{
	byte now, p, fresh;

	lookup(1, now);
#ifdef MUTANT_REPLACE
	lock_bucket();
	take(fresh);
	d_step { e[fresh].key = 1; e[fresh].attach = 3; e[fresh].traceme = 3; e[fresh].id = 1 };
	link(fresh);
	unlink(now, p);
	unlock_bucket()
#else
#ifdef MUTANT_BYTES
	e[now].attach = 3;
	e[now].traceme = 3
#else
	d_step { e[now].attach = 3; e[now].traceme = 3 }	/* policy.word */
#endif
#endif
}

proctype entry_read()
{
	byte entry, attach, traceme, id;

	lookup(1, entry);
	assert(entry != NIL);
	d_step { attach = e[entry].attach; traceme = e[entry].traceme };	/* policy_read() */
	id = e[entry].id;
	assert(id == 1);
	assert(attach == traceme)
}

init
{
	d_step {
		e[0].key = 1; e[0].id = 1; e[0].attach = 2; e[0].traceme = 2; e[0].next = NIL;
		e[1].key = 2; e[1].id = 2; e[1].next = 0;
		head = 1; used[0] = true; used[1] = true
	}
	atomic { run psc_ctl(); run entry_read(); run entry_read() }
}
