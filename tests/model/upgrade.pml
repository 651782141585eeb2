/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of pins takes the place of another: publish(), upgrade(), drop_staged(), load_first()
 * and psc_unload() of src/common/unload.c.
 *
 * Daemons of two builds start one after another, and each may be killed before any step; what
 * only it held is detached then. Each set has two links. From the first publication until
 * somebody takes all of it away ("detach"), each of the two hooks has a link, and the directory
 * of the pins is there and complete. Under a floor, which root may raise at any time, the set
 * that is guarded stays complete; beside its place, if that was just being changed. Without
 * one, a start that comes to its end leaves nothing beside.
 *
 * MUTANT_UNPIN: the predecessor's pins go before its successor has taken its place.
 * MUTANT_MOVE: two renames in place of one exchange.
 * MUTANT_PLACE: the pins are made in their place, not beside it.
 * MUTANT_GUARD: renaming is not refused under a floor, and nobody asks for one.
 */
#define COMPLETE 3			/* a bit for each pin */

byte set, pins;				/* PSC_PIN_DIR: whose, which; 0: it is not there */
byte staged_set, staged_pins;		/* beside it, STAGING_SUFFIX */
byte attached;				/* the set whose links the daemon holds */
byte guarded;				/* the set in the directory that is guarded; 0: no floor */
bool published, detaching;

#ifdef MUTANT_GUARD
#define GUARDED(which) false
#else
#define GUARDED(which) (guarded && guarded == which)
#endif

/* Does a hook have a link, by a pin or by a descriptor? */
#define HAS_LINK(bit) (attached || pins & bit || staged_pins & bit)

inline check()
{
	assert(!published || detaching || (HAS_LINK(1) && HAS_LINK(2)));
	assert(!published || detaching || (set && pins == COMPLETE));
	assert(!guarded || (set == guarded && pins == COMPLETE) ||
	       (staged_set == guarded && staged_pins == COMPLETE))
}

inline may_die() { if :: skip :: kills > 0 -> kills--; attached = 0; goto again fi }

inline remove_staged()
{
	if
	:: staged_set && !GUARDED(staged_set) ->
		staged_pins = staged_pins & 2;
		check();
		may_die();
		staged_pins = 0;
		check();
		may_die();
		staged_set = 0
	:: else
	fi
}

inline exchange(with_set, with_pins)
{
	d_step {
		with_set = set; with_pins = pins;
		set = staged_set; pins = staged_pins;
		staged_set = with_set; staged_pins = with_pins
	}
}

inline publish(build)
{
	attached = build;		/* attach_set() */
	may_die();
#ifdef MUTANT_PLACE
	set = build;
	pins = 1;
	may_die();
	pins = COMPLETE;
	published = true;
#else
	remove_staged();
	may_die();
	staged_set = build;		/* pin_set() */
	may_die();
	staged_pins = 1;
	may_die();
	staged_pins = COMPLETE;
	may_die();
#ifdef MUTANT_UNPIN
	pins = 0;
	check();
#endif
	if
	:: GUARDED(set)			/* psc_g_rename */
	:: !GUARDED(set) ->
#ifdef MUTANT_MOVE
		d_step { old_set = set; old_pins = pins; set = 0; pins = 0 };
		check();
		d_step { set = staged_set; pins = staged_pins; staged_set = old_set; staged_pins = old_pins };
#else
		exchange(old_set, old_pins);
#endif
		published = true
	fi;
	check();
	may_die();
	remove_staged();
#endif
	check();
	attached = 0			/* the skeleton is destroyed */
}

active proctype daemons()
{
	byte starts = 3, kills = 2, build, old_set, old_pins;

again:
	if
	:: !starts -> goto end
	:: starts -> starts--
	fi;
	if
	:: build = 1
	:: build = 2
	fi;
	if
	:: !set -> published = false; detaching = false; publish(build)	/* load_first() */
	:: set && set == build && !guarded -> remove_staged()		/* drop_staged() */
	:: set && set != build && !guarded -> publish(build)		/* upgrade() */
	:: set && guarded
	fi;
	check();
	assert(guarded || !staged_set);
	if
	:: !guarded && !starts ->		/* psc_unload() */
		if
		:: skip
		:: remove_staged();
			may_die();
			if
			:: GUARDED(set)
			:: else ->
				detaching = true;
				d_step {
					staged_set = set; staged_pins = pins; set = 0; pins = 0
				};
				may_die();
				remove_staged()
			fi
		fi
	:: else
	fi;
	goto again;
end:
	check()
}

active proctype root()
{
	if
	:: d_step { set && pins == COMPLETE && published -> guarded = set }
	:: skip
	fi
}
