/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floors that stick: stick_to(), psc_cg_rmdir, stick_or_all(), cgroups_matter() and
 * effective_of_task() of bpf/.
 *
 * The cgroup 1 has a floor, the cgroup 2 has none. A process in 1 is moved to 2, and 1 is
 * removed with its entry. An element for what sticks may not be had, nor one of the reserve:
 * then the floor binds everybody. Who looks at the process finds the floor at any time, and so
 * does who looks at it after it has been moved back, and once more away.
 *
 * MUTANT_LATE: the floor is recorded after the move.
 * MUTANT_ORDER: a reader looks at what sticks first, then at the cgroup.
 * MUTANT_LOADS: the two counters of entries_and_carried are read one after the other.
 * MUTANT_LOST: a floor that binds everybody does not make readers look.
 * MUTANT_RMDIR: the entry goes before the processes have left.
 */
byte entries = 1, carried;		/* entries_and_carried */
bool floor_of_1 = true;			/* the entry */
bool element, in_reserve, lost;		/* psc_carried, psc_reserve, state->floors_for_all */
byte reserved;
byte in = 1;				/* the process's cgroup */

inline stick_or_all()
{
	if
	::	/* carried_new() */
		carried++;
		element = true
	::	/* no memory: from the reserve */
		carried++;
		carried--;
		carried++;
		reserved++;
		in_reserve = true
	::	/* and that is full */
		lost = true;
#ifndef MUTANT_LOST
		carried++
#endif
	fi
}

active proctype mover()			/* cgroup_mutex is held: one at a time */
{
#ifdef MUTANT_RMDIR
	floor_of_1 = false;
	entries--;
#endif
#ifndef MUTANT_LATE
	stick_or_all();			/* psc_cg_attach */
#endif
	in = 2;
#ifdef MUTANT_LATE
	stick_or_all();
#endif
#ifndef MUTANT_RMDIR
	if
	:: in = 1; in = 2		/* back and away: it sticks already */
	:: skip
	fi;
	floor_of_1 = false;		/* psc_cg_rmdir */
	entries--
#endif
}

proctype reader()
{
	byte cgroup, both;
	bool bound, found;

	/* cgroups_matter() */
#ifdef MUTANT_LOADS
	both = carried;
	both = both + entries;
#else
	both = carried + entries;
#endif
	if
	:: !both -> goto end
	:: else
	fi;
	/* effective_of_task() */
#ifdef MUTANT_ORDER
	found = element || in_reserve || lost;
#endif
	cgroup = in;
	if
	:: cgroup == 1 -> bound = floor_of_1
	:: else
	fi;
#ifndef MUTANT_ORDER
	if
	:: !carried -> goto end
	:: else
	fi;
	found = element;		/* carried_find() */
	if
	:: !found && reserved -> found = in_reserve
	:: else
	fi;
	found = found || lost;
#endif
	bound = bound || found;
end:
	assert(bound)
}

init
{
	atomic { run reader(); run reader() }
}
