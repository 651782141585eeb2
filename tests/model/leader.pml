/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The death of a leader, and an exec by another thread: cgroup_of(), living_thread(),
 * stick_to(), effective_of_task() and psc_task_gone of bpf/.
 *
 * A process of two threads, 0 is the leader, is in cgroup 2. It is moved to cgroup 1, which has
 * a floor, and back. At any time but during a move its leader may exit, after which the kernel
 * moves it no more, and the other thread may exec, by which it becomes the leader and the old
 * one is released. Who looks at either thread while the process is in cgroup 1, or later, finds
 * the floor.
 *
 * MUTANT_READER: a reader looks at the cgroup of the very task.
 * MUTANT_MOVER: stick_to() looks at the cgroup of the task that is moved.
 * MUTANT_LEADER: the floor is stuck to the leader alone.
 * MUTANT_GRACE: what sticks to the old leader goes at once, and not after an RCU grace period.
 */
byte cgroup[2] = 2;
bool exiting[2], released[2], stuck[2];
byte leader;				/* group_leader */
bool rwsem;				/* cgroup_threadgroup_rwsem */
bool has_been_in_1;
bool reading;				/* rcu_read_lock() */

inline lock() { atomic { !rwsem -> rwsem = true } }
inline unlock() { rwsem = false }

/* The task, or if it is exiting another thread that is not. */
#define LIVING(task) (exiting[task] && !exiting[1 - task] -> 1 - task : task)

#ifdef MUTANT_MOVER
#define MOVED(task) (task)
#else
#define MOVED(task) LIVING(task)
#endif

#ifdef MUTANT_READER
#define SEEN(task) (task)
#else
#define SEEN(task) LIVING(task)
#endif

inline move(to)
{
	lock();
	if	/* psc_cg_attach: what is left has a floor */
	:: cgroup[MOVED(leader)] == 1 && to == 2 ->
		stuck[leader] = true;
#ifndef MUTANT_LEADER
		if
		:: !released[1 - leader] -> stuck[1 - leader] = true
		:: else
		fi
#endif
	:: else
	fi;
	if
	:: !exiting[0] -> cgroup[0] = to
	:: exiting[0]
	fi;
	cgroup[1] = to;
	unlock()
}

active proctype mover()
{
	move(1);
	has_been_in_1 = true;
	move(2)
}

active proctype process()
{
	if
	:: lock(); exiting[0] = true; unlock()
	:: skip
	fi;
	if
	:: lock();			/* de_thread(): the leader dies first */
		exiting[0] = true;
		leader = 1;
		unlock();
		released[0] = true;
#ifndef MUTANT_GRACE
		!reading;
#endif
		stuck[0] = false	/* psc_task_gone */
	:: skip
	fi
}

active proctype reader()
{
	byte task, in, key;
	bool bound, expected;

	if
	:: task = 0
	:: task = 1
	fi;
	reading = true;
	expected = has_been_in_1;
	in = cgroup[SEEN(task)];
	bound = in == 1;
	key = leader;
	bound = bound || stuck[key];
	assert(bound || !expected || released[task]);
	reading = false
}
