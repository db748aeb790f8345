/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * objects by attaching: makes the runtime of a process count its live objects, at the start and at
 * the end. A runtime that did not answer at the start is not asked again, and no process that came
 * later is asked.
 *
 * Cannot be seen: objects of runtimes other than HotSpot; processes of other users, unless sooth is
 * root.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/linux/bpf/members.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/rights/needs.h"
#include "os/linux/runtimes/runtime_set.h"
#include "os/linux/runtimes/runtimes_seen.h"
#include "os/os.h"
#include "probes/objects.h"

#define READ_MS	     1000
#define ASKED_MOST   4096
#define REASON_BYTES 256

static const char no_runtime[] = "no known runtime is in it";

struct objects_state {
	struct members members;
	struct timeout timeout;
	struct runtimes runtimes;
	struct map asked; /* process_id -> why it is not asked again: REASON_BYTES; "": it is */
	struct buffer maps;
	bool has_begun;
};

/* Finds the runtime of the process; NULL: no known one. */
static const struct runtime *runtime_of(
	struct objects_state *s, const struct process_snapshot *snapshot)
{
	struct runtimes_seen seen = { 0 };
	const struct runtime *found = NULL;
	struct maps_line line;

	if (timeout_read_at(
		    &s->timeout, snapshot->process, "maps", &s->maps, PROCFS_MAPS, READ_MS) < 0)
		return NULL;
	maps_for_each (&line, s->maps) {
		if (line.inode && line.is_executable)
			runtimes_see_file(&seen, line.path);
	}
	runtimes_see_executable(&s->runtimes, &s->timeout, snapshot->process, &seen);
	for (size_t i = 0; i < RUNTIMES; i++) {
		const struct runtime *r = runtime_table[i];

		if ((r->count_objects || r->heap.remedy) && seen.why[r->signs.runtime][0] &&
			(!found || r->count_objects))
			found = r;
	}
	return found;
}

/* Asks the runtime. Sets the reason why there is no answer; "": there is one. */
static void ask_runtime(struct backend_run *run, const struct process_snapshot *snapshot,
	struct objects_process *end, char reason[REASON_BYTES])
{
	struct objects_state *s = run->state;
	const struct runtime *r = runtime_of(s, snapshot);
	const char *why = no_runtime;

	if (r && r->count_objects)
		why = r->count_objects(&s->timeout, snapshot, run, end);
	if (r && !r->count_objects)
		snprintf(reason, REASON_BYTES,
			"sooth asks only a HotSpot JVM, and this is %s; by hand: %s", r->title,
			r->heap.remedy);
	else
		snprintf(reason, REASON_BYTES, "%s", why ? why : "");
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct objects_state *s = run->state;
	struct objects_process end = { 0 };
	struct process_snapshot snapshot;
	int status = process_snapshot_open(&snapshot, run, pid, expected);
	bool is_new = false;
	char *reason = NULL;

	if (!status)
		reason = s->has_begun ? map_get(&s->asked, &snapshot.id)
				      : map_put(&s->asked, &snapshot.id, &is_new);
	if (reason) {
		if (is_new || !reason[0])
			ask_runtime(run, &snapshot, &end, reason);
		if (!strcmp(reason, no_runtime))
			end.state = SOOTH_STATE_ABSENT;
		else if (reason[0])
			end.state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
		end.reason_state = reason[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
		end.record = process_snapshot_head(&snapshot, run, 0, OBJECTS_PROCESS);
		RECORD_APPEND(&run->out, &end,
			((struct record_tail[]){ { &end.reason, reason, strlen(reason) } }), 1);
	}
	process_snapshot_close(&snapshot);
}

static int objects_sample(struct backend_run *run, struct sooth_error *err)
{
	struct objects_state *s = run->state;
	int status = members_visit(&s->members, run, sample_process, err);

	s->has_begun = true;
	return status;
}

/* A collection at each sample would stop the program again and again. */
static int objects_suits(const struct probe_options *options, struct sooth_error *err)
{
	if (options->interest & INTEREST_EDGES)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "count objects at each sample");
	error_why(err, "each count is a full collection, which pauses the program");
	return error_remedy(
		err, "count them at the start and the end: sooth heap --ask-runtime --save FILE");
}

static int objects_open(struct backend_run *run, struct sooth_error *err)
{
	struct objects_state *s = run->state;

	(void)err;
	members_init(&s->members);
	runtimes_init(&s->runtimes);
	map_init(&s->asked, sizeof(struct process_id), REASON_BYTES, ASKED_MOST);
	return 0;
}

static void objects_close(struct backend_run *run)
{
	struct objects_state *s = run->state;

	members_fini(&s->members);
	runtimes_fini(&s->runtimes);
	map_fini(&s->asked);
	timeout_fini(&s->timeout);
	buffer_fini(&s->maps);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_objects_attach = {
	.name = "attach",
	.probe = "objects",
	.help = "makes a JVM run a full collection and count its objects, at the start and the end",
	.needs = needs,
	.state_size = sizeof(struct objects_state),
	.suits = objects_suits,
	.open = objects_open,
	.set = members_backend_set,
	.start = objects_sample,
	.sample = objects_sample,
	.stop = members_backend_stop,
	.close = objects_close,
};
