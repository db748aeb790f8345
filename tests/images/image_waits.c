/* SPDX-License-Identifier: BSD-2-Clause */
/* What runs in a process beside its threads, as `sooth why` reads it. */
#include "image_stacks.h"

#include <stdlib.h>
#include <unistd.h>

#include "model/batch.h"
#include "os/linux/files/procfs.h"
#include "os/linux/syscalls/native_abi.h"
#include "os/linux/waits/wait_reader.h"
#include "os/os.h"

static uint64_t no_time(const struct os *os)
{
	(void)os;
	return 1;
}

static void put_text(
	struct buffer *text, const char *before, const void *record, const struct sooth_text *of)
{
	if (of->size)
		buffer_format(
			text, "%s%.*s", before, (int)of->size, (const char *)record + of->offset);
}

static void put_goroutines(struct buffer *text, const struct waits_goroutines *g)
{
	buffer_format(text, "goroutines %llu%s", (unsigned long long)g->count,
		g->state == WAITS_GOROUTINE_WAITS ? " wait" : "");
	put_text(text, "  begun in ", g, &g->start);
	put_text(text, "  at ", g, &g->at);
	put_text(text, "  by ", g, &g->by);
	put_text(text, "  ", g, &g->reason);
	buffer_char(text, '\n');
}

static void put_tasks(struct buffer *text, const struct waits_tasks *t)
{
	buffer_format(
		text, "tasks %llu%s", (unsigned long long)t->count, t->is_waiting ? " wait" : "");
	put_text(text, "  begun in ", t, &t->start);
	put_text(text, "  at ", t, &t->at);
	put_text(text, " ", t, &t->place);
	put_text(text, "  by ", t, &t->by);
	put_text(text, "  awaited by ", t, &t->awaiter);
	buffer_char(text, '\n');
}

static void put_locks(struct buffer *text, const struct wait_owners *owners)
{
	for (unsigned i = 0; owners && i < owners->count; i++) {
		const struct wait_owner *o = &owners->all[i];

		buffer_format(text, "thread waits for lock of kind %d", (int)o->lock);
		if (*o->class)
			buffer_format(text, "  %s", o->class);
		buffer_string(text, o->owner ? "  of another\n" : "\n");
	}
}

static void put_records(struct buffer *text, const struct buffer *records)
{
	const struct batch batch = { records->data, records->size };

	batch_for_each (r, &batch) {
		if (r->kind == WAITS_GOROUTINES)
			put_goroutines(text, (const void *)r);
		else if (r->kind == WAITS_TASKS)
			put_tasks(text, (const void *)r);
	}
}

void image_waits(pid_t pid, struct buffer *text)
{
	const struct os os = { .now_ns = no_time };
	struct backend_run run = { .os = &os };
	struct wait_reader r = { .run = &run };
	struct wait_node n = { .process = procfs_open(pid),
		.stat = { .pid = (uint32_t)pid, .start_ticks = 1 },
		.may_read = true,
		.abi = ABI_64 };

	runtime_set_init(&r.runtimes, NULL);
	if (n.process >= 0) {
		RUNTIME_CALL(&r.runtimes, waits, &r, &n);
		RUNTIME_CALL(&r.runtimes, locks, &r, &n);
		close(n.process);
	}
	put_records(text, &run.out);
	put_locks(text, n.owners);
	free(n.owners);
	runtime_set_fini(&r.runtimes);
	timeout_fini(&r.timeout);
	buffer_fini(&r.more);
	buffer_fini(&run.out);
}
