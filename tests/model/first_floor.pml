/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first floor: src/daemon/enforce/lock.c and src/common/spare.c, guard_set() and lock_first() of bpf/.
 *
 * The daemon arms the guards, puts psc_g_sysctl on the root cgroup, looks around, and raises
 * the floor by the number of its arming. It may be killed before any step, and another starts.
 * (Its child, src/daemon/enforce/first.c, does all but the last of these. If the child alone is
 * killed, the daemon goes on as another one would that starts, and disarms.)
 * Root disarms, arms, raises a floor himself, loads a program that overrules ours, and writes
 * kernel.ftrace_enabled, in any order and at any speed.
 *
 * A floor that the daemon has raised, killed or not, and what it vouches for (kernel->looked):
 * no such program is there or comes, ftrace stays on, the guards stay armed. Where there is no
 * floor a daemon leaves nothing behind, not even what one before it did.
 *
 * MUTANT_NUMBER: all armings have the same number.
 * MUTANT_FIRST: lock_first() does not compare the number where there is a floor already.
 * MUTANT_ERROR: the daemon vouches for a floor although its own request has failed.
 * MUTANT_LOOK: it looks around before it arms.
 * MUTANT_PROG: psc_g_prog does not ask again when a program gets its descriptor.
 * MUTANT_WRITER: guard_set() does not exclude a floor that comes at the same time.
 * MUTANT_SPARE: psc_g_sysctl has no pin by which the next daemon finds it.
 * MUTANT_FTRACE: ftrace is looked at before it is known that nobody is writing it.
 */
byte armed, last;			/* struct guarded */
bool locked, writer;			/* struct state */
bool sysctl, spare;			/* psc_g_sysctl is attached, has its pin */
bool has_id, has_fd;			/* a program that overrules */
bool writing, off;			/* kernel.ftrace_enabled */
bool promised;				/* by the daemon */

#define GOOD (!has_fd && !off && sysctl && armed)

inline writer_trylock() { atomic { !writer -> writer = true } }
inline writer_unlock() { writer = false }

#ifdef MUTANT_NUMBER
#define NEXT 1
#else
#define NEXT last + 1
#endif

/* guard_set() with 0 and with 1 */
inline disarm()
{
#ifndef MUTANT_WRITER
	writer_trylock();
#endif
	if
	:: !locked -> armed = 0
	:: locked
	fi;
#ifndef MUTANT_WRITER
	writer_unlock();
#endif
	skip
}

inline arm(number)
{
#ifndef MUTANT_WRITER
	writer_trylock();
#endif
	if
	:: !locked -> armed = 0; d_step { last = NEXT; armed = last; number = last }
	:: locked
	fi;
#ifndef MUTANT_WRITER
	writer_unlock();
#endif
	skip
}

#ifdef MUTANT_FIRST
#define IS_LATE(number) (!locked && (!number || armed != number))
#else
#define IS_LATE(number) (number -> armed != number : !locked)
#endif

/* psc_ctl, PSC_OP_CHANGE, and lock_first() */
inline change(number, failed, by_daemon)
{
	writer_trylock();
	failed = IS_LATE(number);
	if
	:: !failed ->
		d_step {
			locked = true;
			promised = promised || by_daemon;
			assert(!promised || GOOD)
		}
	:: else
	fi;
	writer_unlock()
}

inline may_die() { if :: skip :: kills > 0 -> kills--; goto restart fi }

inline look_around()
{
	failed = has_id;
#ifdef MUTANT_FTRACE
	failed = failed || off;
	failed = failed || writing;
#else
	failed = failed || writing;	/* psc_scan_maps */
	failed = failed || off;		/* look_at_ftrace() */
#endif
}

active proctype daemon()
{
	byte number, kills = 2;
	bool failed;

restart:
	skip;
	d_step { number = 0; failed = false };
	if	/* psc_kernel_locked() */
	:: locked -> goto end
	:: !locked
	fi;
	disarm();		/* lock_begin() */
	if
	:: spare -> sysctl = false; may_die(); spare = false	/* psc_spare_clear() */
	:: else
	fi;
	assert(!sysctl || locked);
#ifdef MUTANT_LOOK
	look_around();
#endif
	arm(number);
	may_die();
#ifndef MUTANT_SPARE
	spare = true;			/* guard_sysctl() */
	may_die();
#endif
	sysctl = true;
	may_die();
#ifndef MUTANT_LOOK
	look_around();
#endif
	may_die();
	if
	:: !failed -> change(number, failed, true)
	:: else
	fi;
	may_die();
	if	/* lock_end() */
	:: locked ->
#ifdef MUTANT_ERROR
		promised = true;
#else
		promised = promised || !failed;
#endif
		assert(!promised || GOOD);
	:: !locked ->
		sysctl = false;		/* lock_undo() */
		may_die();
		disarm()
	fi;
	may_die();
	spare = false;			/* drop_spare() */
end:
	skip
}

active proctype root()
{
	byte number, i;
	bool failed;

	do
	:: i < 3 -> i++; disarm()
	:: i < 3 -> i++; arm(number)
	:: i < 3 -> i++; change(number, failed, false); failed = false
	:: break
	od
}

active proctype load()			/* bpf(BPF_PROG_LOAD) */
{
	if
	:: armed -> goto refused	/* psc_g_load */
	:: !armed
	fi;
	has_id = true;			/* from here on psc_scan sees it */
#ifndef MUTANT_PROG
	if
	:: armed -> has_id = false; goto refused	/* psc_g_prog */
	:: !armed
	fi;
#endif
	d_step { has_fd = true; assert(!promised) };
refused:
	skip
}

active proctype write_ftrace()		/* kernel.ftrace_enabled = 0 */
{
	d_step { writing = true };	/* ftrace_is_written() sees it in the way there */
	if
	:: sysctl && armed -> writing = false; goto refused	/* psc_g_sysctl */
	:: else
	fi;
	d_step { off = true; assert(!promised) };
	writing = false;
refused:
	skip
}
