/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A page of memory whose first user waits until told otherwise: userfaultfd(2). */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"

#define PAGE 4096

static int uffd = -1;
static void *page;

int fault_prepare(void **ret)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (unsigned long)page;
	range.range.len = PAGE;
	if (uffd < 0 || page == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &range))
		return failed("userfaultfd");
	*ret = page;
	return 0;
}

int fault_wait(void)
{
	struct uffd_msg msg;

	return read(uffd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : failed("wait");
}

int fault_end(void)
{
	struct uffdio_zeropage zero = { .range = { (unsigned long)page, PAGE } };

	return ioctl(uffd, UFFDIO_ZEROPAGE, &zero) ? failed("go on") : 0;
}
