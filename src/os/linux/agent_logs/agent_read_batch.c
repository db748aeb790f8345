/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads of several processes in one call. */
#include "os/linux/agent_logs/agent_read_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/linux/files/hung_mounts.h"
#include "os/linux/files/procfs.h"

#define AT_ONCE 64
#define ITEM_MS 10 /* per process on a busy machine, besides TIMEOUT_MS in all */

#define USER_NS NS_PER_S /* CPU time */
#define ALL_NS	(2 * NS_PER_S)

struct item {
	struct agent_read job;
	uint32_t pid, uid;
	int status;
	const struct item *first;	      /* of the batch, which the worker keeps */
	uint64_t user_spent_ns, spent_all_ns; /* of earlier batches */
	uint64_t spent_ns;
};

/* Returns the CPU time that is left for the files of an item, in ns. */
static uint64_t left_ns(const struct item *item)
{
	uint64_t user = item->user_spent_ns, all = item->spent_all_ns;

	for (const struct item *i = item->first; i < item; i++) {
		user += i->uid == item->uid ? i->spent_ns : 0;
		all += i->spent_ns;
	}
	user = user < USER_NS ? USER_NS - user : 0;
	all = all < ALL_NS ? ALL_NS - all : 0;
	return user < all ? user : all;
}

/* Runs an item. `kept` is /proc. Another process may have the PID by now: the process was the same
 * one if it still is. */
static void run_item(void *user, int kept)
{
	struct item *i = user;
	_cleanup_close_ int process = procfs_open_place(kept, (pid_t)i->pid);
	uint64_t left = left_ns(i);
	struct process_id now;

	i->status = process < 0 ? -ESRCH : 0;
	if (process < 0)
		return;
	i->job.process = process;
	agent_read(&i->job, (pid_t)i->pid, left + !left, &i->spent_ns); /* 0: no limit */
	if (procfs_identify_at(process, &now) || now.start_ticks != i->job.start_ticks)
		i->status = -ESRCH;
}

static int open_item(const void *item, int kept)
{
	return procfs_open_place(kept, (pid_t)((const struct item *)item)->pid);
}

/* Makes a batch. `before`: number of requests in front of these, which are done. */
static struct timed_batch *batch_of(
	const struct agent_read_request *requests, size_t count, size_t before)
{
	struct timed_batch *b =
		timed_batch_new(count, sizeof(struct item), run_item, open_item, NULL);

	for (size_t i = 0; b && i < count; i++) {
		struct item *item = timed_batch_item(b, i);

		item->job = *requests[i].job;
		item->pid = requests[i].pid;
		item->uid = requests[i].uid;
		item->first = timed_batch_item(b, 0);
		for (const struct agent_read_request *r = requests - before; r < requests; r++) {
			item->user_spent_ns += r->uid == item->uid ? r->spent_ns : 0;
			item->spent_all_ns += r->spent_ns;
		}
	}
	return b;
}

/* Runs a batch. Returns how many requests are done, at least one. */
static size_t run_some(struct agent_read_request *requests, size_t count, size_t before, int proc,
	struct timeout *p)
{
	struct timed_batch *b = batch_of(requests, count, before);
	int status = -ENOMEM;
	size_t done = 0;

	if (b)
		done = timed_batch_run(b, p, proc, TIMEOUT_MS + (int)count * ITEM_MS, &status);
	for (size_t i = 0; i < done; i++) {
		const struct item *item = timed_batch_item(b, i);

		*requests[i].job = item->job;
		requests[i].status = item->status;
		requests[i].spent_ns = item->spent_ns;
	}
	if (done < count)
		requests[done++].status = status;
	timed_batch_free(b);
	return done;
}

/* Returns whether a call for files at the same place hangs already. */
static bool is_held(const struct agent_read_request *r, int proc)
{
	_cleanup_close_ int process = procfs_open_place(proc, (pid_t)r->pid);

	return hung_mounts_hold(process);
}

void agent_reads_run(struct agent_read_request *requests, size_t count, struct timeout *p)
{
	_cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int status = -errno;

	for (size_t i = 0; i < count;) {
		size_t n = 0;

		while (proc >= 0 && n < AT_ONCE && i + n < count &&
			!is_held(&requests[i + n], proc))
			n++;
		if (n) {
			i += run_some(&requests[i], n, i, proc, p);
			continue;
		}
		requests[i++].status = proc < 0 ? status : -ETIMEDOUT;
	}
}
