/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A declaration (PR_SET_PTRACER) is read while it is replaced, deleted, and its element used
 * again: relation_add(), relation_clear() and relation_read() of bpf/relation.bpf.h.
 *
 * The tracee 1 has declared tracer 11, declares 12, withdraws that and declares 11 again. The
 * tracee 2 declares 20 and withdraws it. A reader of what 1 has declared finds 11, 12 or
 * nothing, and each with its own number; never what 2 has declared. He reads the words in any
 * order, as they are written.
 *
 * MUTANT_SERIAL: as it was before relations had a sum: a second look-up is to find the serial
 *	that was read first.
 * MUTANT_TRACEE: the sum is not over the tracee.
 * MUTANT_TRACER: the sum is not over the tracer.
 * MUTANT_NONE: the sum is not looked at.
 */
#define ELEMENTS 3
typedef element { byte key; byte next; byte tracer; byte tracer_id; byte serial; short sum };

/* relation_sum(). That two sums are equal by chance is left out. */
#ifdef MUTANT_TRACEE
#define SUM(tracee, tracer, tracer_id) ((tracer) * 128 + (tracer_id))
#else
#ifdef MUTANT_TRACER
#define SUM(tracee, tracer, tracer_id) ((tracee) * 4096 + (tracer_id))
#else
#define SUM(tracee, tracer, tracer_id) ((tracee) * 4096 + (tracer) * 128 + (tracer_id))
#endif
#endif

byte last_serial;

/* In any order. A tracer's number is its own and a hundred. */
inline copy_value(at, k)
{
	d_step { last_serial++; serial = last_serial; done = 0 };
	do
	:: !(done & 1) -> d_step { e[at].key = k; done = done | 1 }
	:: !(done & 2) -> d_step { e[at].tracer = tracer; done = done | 2 }
	:: !(done & 4) -> d_step { e[at].tracer_id = tracer + 100; done = done | 4 }
	:: !(done & 8) ->
		d_step {
			e[at].sum = SUM(k, tracer, tracer + 100);
			e[at].serial = serial;
			done = done | 8
		}
	:: done == 15 -> break
	od
}
#include "bucket.inc"

/* bpf_map_update_elem(BPF_EXIST): the new one is linked before the old one is taken out. */
inline relation_add(tracee, named)
{
	tracer = named;
	lock_bucket();
	find(tracee, old);
	take(at);
	copy_value(at, tracee);
	link(at);
	if
	:: old != NIL -> unlink(old, p)
	:: else
	fi;
	unlock_bucket()
}

inline relation_clear(tracee)
{
	delete(tracee, at, p, deleted)
}

proctype declares_1()
{
	byte at, p, done, old, tracer, serial;
	bool deleted;

	relation_add(1, 12);
	relation_clear(1);
	relation_add(1, 11)
}

proctype declares_2()
{
	byte at, p, done, old, tracer, serial;
	bool deleted;

	relation_add(2, 20);
	relation_clear(2)
}

proctype relation_read()
{
	byte relation, again, serial, tracer, tracer_id, done;
	short sum;
	bool good;

	lookup(1, relation);
	if
	:: relation == NIL -> goto nothing
	:: else
	fi;
	serial = e[relation].serial;
	do
	:: !(done & 1) -> d_step { tracer = e[relation].tracer; done = done | 1 }
	:: !(done & 2) -> d_step { tracer_id = e[relation].tracer_id; done = done | 2 }
	:: !(done & 4) -> d_step { sum = e[relation].sum; done = done | 4 }
	:: done == 7 -> break
	od;
#ifdef MUTANT_SERIAL
	lookup(1, again);
	good = (again != NIL -> e[again].serial == serial : false);
#else
	good = sum == SUM(1, tracer, tracer_id);
#endif
#ifdef MUTANT_NONE
	good = true;
#endif
	assert(!good || ((tracer == 11 || tracer == 12) && tracer_id == tracer + 100));
nothing:
	skip
}

init
{
	d_step {
		last_serial = 1;
		e[0].key = 1; e[0].tracer = 11; e[0].tracer_id = 111; e[0].serial = 1; e[0].sum = SUM(1, 11, 111);
		e[0].next = NIL;
		head = 0; used[0] = true
	};
	atomic { run declares_1(); run declares_2(); run relation_read() }
}
