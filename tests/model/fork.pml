/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fork against a floor that comes in between: psc_task_alloc, psc_task_new, inherited() and
 * stick_to() of bpf/.
 *
 * A parent in cgroup 1 makes a child, which may have to go to cgroup 2 (CLONE_INTO_CGROUP).
 * Meanwhile cgroup 1 gets a floor, and the parent is moved to cgroup 2, which has none. Parents
 * are not moved while the child gets its cgroup (cgroup_threadgroup_rwsem). A parent that was
 * bound before psc_task_new looked, and still is, has no child that runs and is not bound,
 * wherever both are. A floor that comes while the kernel moves a process, which left() has
 * looked at, comes after the move.
 *
 * MUTANT_NEW: there is no psc_task_new.
 * MUTANT_ORDER: inherited() looks at what sticks to the parent before it looks at its cgroup.
 * MUTANT_STUCK: it looks at the parent's cgroup alone.
 * MUTANT_LOCKED: state->locked is set after the floor is there.
 * MUTANT_ALLOC: a child whose floor finds no room is born without.
 */
bool floor_of_1, locked;		/* the entry of cgroup 1, state->locked */
byte parent_in = 1, child_in;
bool parent_stuck, child_stuck, lost;
bool rwsem;				/* cgroup_threadgroup_rwsem */
bool came_before;

#define PARENT_IS_BOUND (parent_stuck || (parent_in == 1 && floor_of_1))

/* @ret: is there a floor to inherit? */
inline inherited(ret)
{
#ifdef MUTANT_ORDER
	ret = parent_stuck;
	cgroup = parent_in;
	ret = ret || (cgroup == 1 && floor_of_1)
#else
	cgroup = parent_in;
	ret = cgroup == 1 && floor_of_1;
#ifndef MUTANT_STUCK
	ret = ret || parent_stuck
#endif
#endif
}

active proctype fork()
{
	byte cgroup;
	bool floor, refused;

	if	/* psc_task_alloc: without room there is no child */
	:: locked ->
		inherited(floor);
		if
		:: floor -> child_stuck = true
#ifdef MUTANT_ALLOC
		:: floor -> skip
#else
		:: floor -> refused = true
#endif
		:: !floor
		fi
	:: !locked
	fi;
	if
	:: refused -> goto end
	:: else
	fi;
	atomic { !rwsem -> rwsem = true };
	if
	:: child_in = parent_in
	:: child_in = 2
	fi;
	rwsem = false;
	came_before = PARENT_IS_BOUND;
#ifndef MUTANT_NEW
	if	/* psc_task_new: without room the floor binds everybody */
	:: locked ->
		inherited(floor);
		if
#ifndef MUTANT_ALLOC
		:: floor && !child_stuck -> child_stuck = true
		:: floor && !child_stuck -> lost = true
#endif
		:: floor && child_stuck
		:: !floor
#ifdef MUTANT_ALLOC
		:: floor && !child_stuck
#endif
		fi
	:: !locked
	fi;
#endif
	/* It runs. It may have been moved already, which takes its cgroup's floor along. */
	assert(!came_before || !PARENT_IS_BOUND || child_stuck || lost ||
	       (child_in == 1 && floor_of_1));
end:
	skip
}

active proctype psc_ctl()
{
#ifdef MUTANT_LOCKED
	floor_of_1 = true;
	locked = true
#else
	locked = true;			/* lock_first() */
	floor_of_1 = true		/* entry_put() */
#endif
}

active proctype move()			/* the parent, from 1 to 2 */
{
	bool floor;

	atomic { !rwsem -> rwsem = true };
	floor = floor_of_1;		/* left() */
	if
	:: locked && floor -> parent_stuck = true
	:: else
	fi;
	parent_in = 2;
	rwsem = false
}
