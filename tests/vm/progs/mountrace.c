/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mountrace FILE: have the mount that FILE is on unmounted by propagation, although the hook of
 *	umount was asked about something harmless. /sys has to be shared.
 *
 * Mount hooks run before the kernel takes namespace_sem. While one thread copies a mount
 * namespace, which holds it, a bind mount of /sys below an unrelated mount passes its hook and
 * waits, and then the lazy unmounting of that mount, on which there is nothing yet.
 * Prints how many tries it took; exit code 1 when FILE is still there after the last.
 */
#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIES 60
#define MANY 4000	/* mounts, so that copying them takes long */

#define VICTIM "/run/mountrace"

static long copy_us;	/* of the shortest copy so far; a pause is a quarter of it */

static void *copy_namespace(void *data)
{
	struct timespec begin, end;
	long us;

	(void)data;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	/* A namespace belongs to the thread. */
	if (unshare(CLONE_FS | CLONE_NEWNS) < 0)
		warn("unshare");
	clock_gettime(CLOCK_MONOTONIC, &end);
	us = (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000;
	if (!copy_us || us < copy_us)
		copy_us = us;
	return NULL;
}

static void *bind_sys(void *data)
{
	(void)data;
	mount("/sys", VICTIM "/victim/sys", NULL, MS_BIND | MS_REC, NULL);
	return NULL;
}

static void start(pthread_t *thread, void *(*function)(void *))
{
	if (pthread_create(thread, NULL, function, NULL))
		errx(2, "pthread_create");
	usleep((useconds_t)(copy_us / 4));
}

static int try_once(const char *file)
{
	pthread_t copier, binder;

	if (mount("none", VICTIM "/victim", "tmpfs", 0, NULL) < 0 ||
	    mkdir(VICTIM "/victim/sys", 0700) < 0)
		err(2, "victim");
	start(&copier, copy_namespace);
	start(&binder, bind_sys);
	umount2(VICTIM "/victim", MNT_DETACH);
	pthread_join(binder, NULL);
	pthread_join(copier, NULL);
	while (umount2(VICTIM "/victim/sys", MNT_DETACH) == 0)
		;
	while (umount2(VICTIM "/victim", MNT_DETACH) == 0)
		;
	return access(file, F_OK) < 0;
}

int main(int argc, char **argv)
{
	pthread_t copier;
	char path[64];

	if (argc != 2)
		errx(2, "usage: mountrace FILE");
	mkdir(VICTIM, 0700);
	if (mount("none", VICTIM, "tmpfs", 0, NULL) < 0 ||
	    mount(NULL, VICTIM, NULL, MS_PRIVATE, NULL) < 0)
		err(2, VICTIM);
	mkdir(VICTIM "/victim", 0700);
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), VICTIM "/%d", i);
		mkdir(path, 0700);
		if (mount("none", path, "tmpfs", 0, NULL) < 0)
			err(2, "%s", path);
	}
	start(&copier, copy_namespace);
	pthread_join(copier, NULL);
	for (int i = 1; i <= TRIES; i++) {
		if (try_once(argv[1])) {
			printf("tries: %d, of copies that take %ld ms\n", i, copy_us / 1000);
			return 0;
		}
	}
	return 1;
}
