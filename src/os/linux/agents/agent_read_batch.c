/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads of several processes in one call. */
#include "os/linux/agents/agent_read_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/procfs.h"

#define AT_ONCE 64
#define ITEM_MS 10 /* per process on a busy machine, besides TIMEOUT_MS in all */

struct item {
	struct agent_read job;
	uint32_t pid;
	int status;
};

/* `kept` is /proc. The number may be that of another process by now: it was the same one if it
 * still is. */
static void run_item(void *user, int kept)
{
	struct item *i = user;
	_cleanup_close_ int process = -1;
	struct process_id now;
	char name[16];

	snprintf(name, sizeof(name), "%u", i->pid);
	process = openat(kept, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	i->status = process < 0 ? -ESRCH : 0;
	if (process < 0)
		return;
	i->job.process = process;
	agent_read(&i->job);
	if (procfs_identify_at(process, &now) || now.start_ticks != i->job.start_ticks)
		i->status = -ESRCH;
}

static struct timed_batch *batch_of(const struct agent_read_request *requests, size_t count)
{
	struct timed_batch *b = timed_batch_new(count, sizeof(struct item), run_item, NULL);

	for (size_t i = 0; b && i < count; i++) {
		struct item *item = timed_batch_item(b, i);

		item->job = *requests[i].job;
		item->pid = requests[i].pid;
	}
	return b;
}

/* Returns how many of them are done, at least one. */
static size_t run_some(
	struct agent_read_request *requests, size_t count, int proc, struct timeout *p)
{
	struct timed_batch *b = batch_of(requests, count);
	int status = -ENOMEM;
	size_t done = 0;

	if (b)
		done = timed_batch_run(b, p, proc, TIMEOUT_MS + (int)count * ITEM_MS, &status);
	for (size_t i = 0; i < done; i++) {
		const struct item *item = timed_batch_item(b, i);

		*requests[i].job = item->job;
		requests[i].status = item->status;
	}
	if (done < count)
		requests[done++].status = status;
	timed_batch_free(b);
	return done;
}

void agent_reads_run(struct agent_read_request *requests, size_t count, struct timeout *p)
{
	_cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int status = -errno;

	for (size_t i = 0; i < count;) {
		size_t n = count - i < AT_ONCE ? count - i : AT_ONCE;

		if (proc >= 0) {
			i += run_some(&requests[i], n, proc, p);
			continue;
		}
		requests[i++].status = status;
	}
}
