/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that clients provoke: each account has a share, and all together are bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "noise.h"
#include "ptracescope.h"

static unsigned int provoke(struct psc_noise *noise, time_t now, uid_t uid, unsigned int times)
{
	struct psc_client client = { .pid = 1, .uid = uid, .account = psc_account_of(uid) };
	unsigned int logged = 0, held;

	for (unsigned int i = 0; i < times; i++)
		logged += psc_noise_pass_at(noise, now, &client, &held);
	return logged;
}

/* One user's calls do not hide those of another, nor the daemon's own troubles. */
static void test_users(void **state)
{
	static struct psc_noise noise;
	unsigned int held;

	(void)state;
	assert_int_equal(provoke(&noise, 5, 1000, 5000), PSC_NOISE_BURST);
	assert_int_equal(provoke(&noise, 5, 1001, 3), 3);
	assert_int_equal(provoke(&noise, 64, 1000, 10), 0);
	assert_int_equal(provoke(&noise, 64, 0, 20), PSC_NOISE_BURST);
	assert_true(psc_noise_pass_at(&noise, 64, NULL, &held));
	assert_int_equal(held, 0);
}

/* The next window has a share for everybody again, and says once what was held back. */
static void test_window(void **state)
{
	struct psc_client bob = { .uid = 1001, .account = 1001 };
	static struct psc_noise noise;
	unsigned int held;

	(void)state;
	provoke(&noise, 0, 1000, 30);
	assert_false(psc_noise_pass_at(&noise, PSC_NOISE_WINDOW, &(struct psc_client){
		.uid = 1000, .account = 1000 }, &held));
	assert_int_equal(held, 0);
	assert_true(psc_noise_pass_at(&noise, PSC_NOISE_WINDOW + 1, &bob, &held));
	assert_int_equal(held, 21);
	assert_true(psc_noise_pass_at(&noise, PSC_NOISE_WINDOW + 1, &bob, &held));
	assert_int_equal(held, 0);
	assert_int_equal(provoke(&noise, PSC_NOISE_WINDOW + 1, 1000, 20), PSC_NOISE_BURST);
}

/* Uids given out in blocks, of which one user may have all. */
static void test_crowd(void **state)
{
	const uid_t uid = 2 * PSC_CROWD_UIDS;
	static struct psc_noise noise;
	unsigned int logged = 0, held;

	(void)state;
	assert_int_equal(provoke(&noise, 5, uid, 100), PSC_NOISE_BURST);
	assert_int_equal(provoke(&noise, 5, uid + 1, 1), 1);
	for (uid_t i = 2; i < 5000; i++)
		logged += provoke(&noise, 5, uid + i, 1);
	assert_int_equal(logged, PSC_NOISE_CROWD_BURST - PSC_NOISE_BURST - 1);
	assert_int_equal(provoke(&noise, 5, uid + PSC_CROWD_UIDS, 1), 1);
	/* Those that he has in a user namespace of his own are his account, too. */
	logged = 0;
	for (uid_t i = 0; i < 5000; i++)
		logged += psc_noise_pass_at(&noise, 5, &(struct psc_client){
			.uid = 10 * PSC_CROWD_UIDS + i, .account = 1000 }, &held);
	assert_int_equal(logged, PSC_NOISE_BURST);
	assert_int_equal(provoke(&noise, 5, 1001, 1), 1);
}

/* However many accounts there are, the log has an end, and the first ones their word. */
static void test_all(void **state)
{
	static struct psc_noise noise;
	unsigned int logged = 0;

	(void)state;
	for (uid_t uid = 1000; uid < 1100; uid++)
		logged += provoke(&noise, 5, uid, 100);
	assert_in_range(logged, 3 * PSC_NOISE_STEP, 4 * PSC_NOISE_STEP);
	assert_int_equal(provoke(&noise, 5, 2000, 100), 1);
	for (uid_t uid = 3000; uid < 9000; uid++)
		logged += provoke(&noise, 5, uid, 100);
	assert_in_range(logged, PSC_NOISE_PLACES, 4 * PSC_NOISE_STEP + PSC_NOISE_PLACES);
	assert_int_equal(provoke(&noise, 5, 9000, 1), 0);
	assert_int_equal(provoke(&noise, 5 + PSC_NOISE_WINDOW, 9000, 1), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests_name("noise", tests, NULL, NULL);
}
