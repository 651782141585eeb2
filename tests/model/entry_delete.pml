/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entry of a cgroup is deleted and its element used again: entry_put(), entry_delete() and
 * entry_read_words() of bpf/.
 *
 * The entry of cgroup 1 is there. psc_ctl changes it, deletes it ("unset") and sets it again;
 * psc_cg_rmdir deletes it at any time. The entry of cgroup 2 comes and goes meanwhile. A reader
 * of cgroup 1 finds what was said of cgroup 1, or nothing, or refuses; never what was said of
 * cgroup 2. What is written to cgroup 1 does not come to cgroup 2. In the end the counter is
 * the number of entries, and none is left of a cgroup that is gone.
 *
 * MUTANT_ID: as it was before entries had a serial: a reader compares the id alone.
 * MUTANT_UNMADE: the serial is there from the beginning, not when all of the element is.
 * MUTANT_DELETED: the serial is not taken away before the element is.
 * MUTANT_TWICE: who has not taken the serial away deletes all the same.
 * MUTANT_HELD: an element is not held while it is changed.
 * MUTANT_OFFLINE: who has changed an entry does not look whether the cgroup is gone.
 */
#define ELEMENTS 2
#define TRIES 1				/* ENTRY_TRIES */
typedef element { byte key; byte next; byte policy; byte id; byte serial };

#define BEING_MADE 128			/* SERIAL_BEING_MADE */
#define HELD 64				/* SERIAL_HELD */
#ifdef MUTANT_UNMADE
#define FRESH last_serial
#else
#define FRESH (last_serial | BEING_MADE)
#endif

byte last_serial, entries, writers;
bool offline;				/* cgroup 1 */

/* In any order. A policy is ten times its cgroup's number. */
inline copy_value(at, k)
{
	d_step { last_serial++; serial = FRESH; done = 0 };
	do
	:: !(done & 1) -> d_step { e[at].key = k; done = done | 1 }
	:: !(done & 2) -> d_step { e[at].policy = 10 * k; done = done | 2 }
	:: !(done & 4) -> d_step { e[at].id = k; done = done | 4 }
	:: !(done & 8) -> d_step { e[at].serial = serial; done = done | 8 }
	:: done == 15 -> break
	od
}
#include "bucket.inc"

inline compare_and_swap(word, old, new)
{
	d_step { if :: word == old -> word = new; won = true :: else -> won = false fi }
}

inline entry_make(cgroup)
{
	entries++;
	insert(cgroup, at);
	find(cgroup, at);
	if
	:: at == NIL
	:: else -> compare_and_swap(e[at].serial, serial, serial & ~BEING_MADE)
	fi
}

inline entry_change()
{
	find(1, at);
	if
	:: at == NIL
	:: else ->
#ifdef MUTANT_HELD
		e[at].policy = 11
#else
		serial = e[at].serial;
		id = e[at].id;
		if
		:: !serial || serial & BEING_MADE || id != 1 -> won = false
		:: else -> compare_and_swap(e[at].serial, serial, serial | HELD)
		fi;
		if
		:: won -> e[at].policy = 11; e[at].serial = serial
		:: else
		fi
#endif
	fi
}

inline entry_delete(cgroup)
{
	find(cgroup, at);
	if
	:: at == NIL
	:: else ->
		serial = e[at].serial;
		id = e[at].id;
		if
		:: !serial || serial & (BEING_MADE | HELD) || id != cgroup -> won = false
#ifdef MUTANT_DELETED
		:: else -> won = true
#else
		:: else -> compare_and_swap(e[at].serial, serial, 0)
#endif
		fi;
#ifdef MUTANT_TWICE
		won = true;
#endif
		if
		:: won ->
			delete(cgroup, at, p, deleted);
			if
			:: deleted -> entries--
			:: else
			fi
		:: else
		fi
	fi
}

#ifdef MUTANT_OFFLINE
#define SEEN_OFFLINE false
#else
#define SEEN_OFFLINE offline
#endif

inline delete_if_offline()
{
	if
	:: SEEN_OFFLINE -> entry_delete(1)
	:: else
	fi
}

proctype psc_ctl()
{
	byte at, p, done, serial, id;
	bool deleted, won;

	entry_change();
	delete_if_offline();
	entry_delete(1);		/* "unset" */
	find(1, at);
	if
	:: at == NIL && !offline ->	/* target_of() */
		entry_make(1);
		delete_if_offline()
	:: else
	fi;
	writers--
}

proctype psc_cg_rmdir()
{
	byte at, p, serial, id;
	bool deleted, won;

	offline = true;
	entry_delete(1);
	writers--
}

proctype others()
{
	byte at, p, done, serial, id;
	bool deleted, won;

	entry_make(2);
	assert(e[at].policy == 20);
	entry_delete(2);
	writers--
}

proctype entry_read()
{
	byte i, entry, policy, id, serial;

	do
	:: i == TRIES -> break		/* refuses */
	:: else ->
		lookup(1, entry);
		if
		:: entry == NIL -> break
		:: else
		fi;
#ifdef MUTANT_ID
		policy = e[entry].policy;
		id = e[entry].id;
		if
		:: id == 1 -> assert(policy / 10 == 1); break
		:: else
		fi;
#else
		serial = e[entry].serial;
		if
		:: !serial || serial & BEING_MADE -> break
		:: else
		fi;
		if	/* in any order */
		:: policy = e[entry].policy; id = e[entry].id
		:: id = e[entry].id; policy = e[entry].policy
		fi;
		if
		:: (e[entry].serial & ~HELD) == (serial & ~HELD) && id == 1 -> assert(policy / 10 == 1); break
		:: else
		fi;
#endif
		i++
	od
}

init
{
	d_step {
		last_serial = 1; entries = 1; writers = 3;
		e[0].key = 1; e[0].policy = 10; e[0].id = 1; e[0].serial = 1; e[0].next = NIL;
		head = 0; used[0] = true
	};
	atomic { run psc_ctl(); run psc_cg_rmdir(); run others(); run entry_read() }
	writers == 0;
	assert(entries == used[0] + used[1]);
	assert(!offline || entries == 0)
}
