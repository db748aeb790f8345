/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process whose environment cannot be read: a page of it is handed to userfaultfd(2) and
 * nobody ever fills it. Linux ends /proc/PID/environ there as if that were all, older ones
 * wait until this process ends. Its environment needs a variable STUCK of some 16 KiB.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define STUCK_BYTES_MIN (16 << 10)

static int give_away(void *page, size_t size)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .range = { (uintptr_t)page, size },
		.mode = UFFDIO_REGISTER_MODE_MISSING };

	if (fd < 0)
		return -EOPNOTSUPP; /* not allowed, or not there */
	if (ioctl(fd, UFFDIO_API, &api) ||
		mmap(page, size, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0) != page ||
		ioctl(fd, UFFDIO_REGISTER, &range))
		return -errno;
	return 0; /* the descriptor stays open: closing it would end the waiting */
}

static int run(const struct workload *w)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *value = getenv("STUCK");
	uintptr_t inside;
	int err;

	if (!value || strlen(value) < STUCK_BYTES_MIN || page * 3 > STUCK_BYTES_MIN)
		return -EOPNOTSUPP;
	inside = ((uintptr_t)value + page) / page * page;
	err = give_away((void *)inside, page);
	return err ? err : workload_stay(w);
}

const struct scenario scenario_stuck_environ = {
	.name = "stuck_environ",
	.help = "a page of its environment is never there",
	.run = run,
};
