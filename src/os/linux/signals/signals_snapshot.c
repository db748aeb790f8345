/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals of processes. Masks, queue and pending signals come from the status files of the process
 * and of each thread (proc_pid_status(5)); the location of a handler comes from the process's
 * maps.
 */
#include "os/linux/signals/signals_snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/timed_open.h"
#include "os/linux/files/timeout.h"
#include "os/os.h"
#include "symbols/elf_address.h"

/* --- mapped symbols --- */

/* The functions at addresses of a process, from its mapped files. Reading such a file may never
 * return, so this has a timeout; only regular files are opened, and through the process, whose
 * paths may differ from sooth's. */

#define SYMBOLS_MS 3000 /* some hundred megabytes of names, from a cold disk */

/* Everything in it is a copy: if the call times out, it may run on when its caller has returned. */
struct job {
	int file; /* its own descriptor */
	size_t count;
	int status;
	struct elf_address addresses[ELF_ADDRESSES_MAX];
};

static void run_read_job(void *argument)
{
	struct job *job = argument;

	job->status = elf_addresses(job->file, job->addresses, job->count);
}

/* Finds the functions at offsets in the file of a mapping. `process`: descriptor of /proc/PID.
 * Returns 0 or a negative errno: -ETIMEDOUT if the file did not answer. */
static int mapped_symbols(struct timeout *timeout, int process, const struct maps_line *mapping,
	struct elf_address *addresses, size_t count)
{
	_cleanup_free_ struct job *job = calloc(1, sizeof(*job));
	_cleanup_close_ int file = -1;
	int status;

	if (!job || count > ELF_ADDRESSES_MAX)
		return -ENOMEM;
	job->count = count;
	memcpy(job->addresses, addresses, count * sizeof(*addresses));
	file = timed_open_mapped(timeout, process, mapping, SYMBOLS_MS);
	if (file < 0)
		return file;
	status = timeout_call_file(timeout, run_read_job, job, sizeof(*job), file, SYMBOLS_MS);
	if (!status)
		status = job->status;
	if (!status)
		memcpy(addresses, job->addresses, count * sizeof(*addresses));
	return status;
}

/* --- signals snapshot --- */

#define THREADS_MAX  65536
#define MAPPINGS_MAX 1000000

#define FAILED SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)

/* Where a handler is. */
struct handler {
	struct signals_place place;
	struct maps_line mapping;
	uint8_t object_state, symbol_state;
	bool is_read; /* its file has been read */
	struct elf_address symbol;
};

struct handlers {
	size_t count;
	uint8_t state;
	struct handler all[SIGNALS_MAX];
};

static int read_thread(
	struct backend_run *run, const struct process_snapshot *snapshot, uint32_t tid)
{
	struct signals_reader *s = run->state;
	struct signals_thread t = { .record = process_snapshot_head(
					    snapshot, run, tid, SIGNALS_THREAD) };
	int status = process_snapshot_file(snapshot, tid, "status", &s->bytes);
	struct task_signals signals;

	if (status)
		return status;
	if (!task_signals_parse(&signals, s->bytes.data, s->bytes.size))
		return -EINVAL;
	t.blocked = signals.blocked;
	t.pending = signals.pending;
	RECORD_APPEND(&run->out, &t, NULL, 0);
	return 0;
}

static void read_threads(struct backend_run *run, const struct process_snapshot *snapshot,
	struct signals_process *end)
{
	struct signals_reader *s = run->state;
	int status = process_snapshot_threads(snapshot, &s->tids, THREADS_MAX);
	const uint32_t *tids = (const void *)s->tids.data;

	for (size_t i = 0; i < s->tids.size / sizeof(*tids); i++) {
		int failure = read_thread(run, snapshot, tids[i]);

		end->threads += !failure;
		/* A thread that ended meanwhile is skipped; any other failure is reported. */
		if (failure && failure != -ENOENT && failure != -ESRCH)
			status = failure;
	}
	end->threads_state = procfs_state(status);
}

static void read_masks(struct backend_run *run, const struct process_snapshot *snapshot,
	struct signals_process *end)
{
	struct signals_reader *s = run->state;
	int status = procfs_read_at(snapshot->process, "status", &s->bytes, PROCFS_SMALL);
	struct task_signals signals;

	end->masks_state = procfs_state(process_snapshot_status(snapshot, status));
	if (status < 0)
		return;
	if (!task_signals_parse(&signals, s->bytes.data, s->bytes.size)) {
		end->masks_state = FAILED;
		return;
	}
	end->ignored = signals.ignored;
	end->caught = signals.caught;
	end->pending = signals.shared_pending;
	end->queued = signals.queued;
	end->queued_max = signals.queued_max;
}

/* --- locations of handlers --- */

static void find_mappings(struct signals_reader *s, struct handlers *h)
{
	struct cursor c = cursor_over(s->maps.data, s->maps.size);
	struct maps_line m;

	for (unsigned line = 0; line < MAPPINGS_MAX && !cursor_at_end(&c); line++) {
		if (!maps_parse(cursor_line(&c), &m))
			continue;
		for (size_t i = 0; i < h->count; i++) {
			uint64_t address = h->all[i].place.address;

			if (address < m.from || address >= m.to)
				continue;
			h->all[i].mapping = m;
			h->all[i].object_state =
				m.path.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
		}
	}
}

static uint8_t symbol_state(const struct elf_address *symbol)
{
	return !symbol->is_found ? SOOTH_STATE_ABSENT
	       : symbol->is_cut	 ? SOOTH_STATE_TRUNCATED
				 : SOOTH_STATE_VALUE;
}

/* Resolves all handlers in the same mapping, with one read of its file. */
static void read_symbols(struct signals_reader *s, int process, struct handlers *h, size_t first)
{
	_cleanup_free_ struct elf_address *addresses = calloc(SIGNALS_MAX, sizeof(*addresses));
	const struct maps_line *mapping = &h->all[first].mapping;
	size_t from[SIGNALS_MAX], count = 0;
	int status;

	for (size_t i = first; addresses && i < h->count; i++) {
		if (h->all[i].mapping.from != mapping->from)
			continue;
		h->all[i].is_read = true;
		from[count] = i;
		addresses[count++].offset =
			h->all[i].place.address - mapping->from + mapping->offset;
	}
	status = addresses ? mapped_symbols(&s->timeout, process, mapping, addresses, count)
			   : -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct handler *to = &h->all[from[i]];

		to->symbol_state = status ? procfs_state(status) : symbol_state(&addresses[i]);
		to->symbol = addresses[i];
	}
}

static void find_symbols(
	struct signals_reader *s, const struct process_snapshot *snapshot, struct handlers *h)
{
	int status = procfs_read_at(snapshot->process, "maps", &s->maps, PROCFS_MAPS);

	for (size_t i = 0; i < h->count; i++) {
		h->all[i].object_state =
			status < 0 ? procfs_state(process_snapshot_status(snapshot, status))
				   : SOOTH_STATE_ABSENT;
		h->all[i].symbol_state = h->all[i].object_state;
	}
	if (status < 0)
		return;
	find_mappings(s, h);
	for (size_t i = 0; i < h->count; i++) {
		if (h->all[i].mapping.inode && !h->all[i].is_read)
			read_symbols(s, snapshot->process, h, i);
	}
}

static void write_handler(
	struct backend_run *run, const struct process_snapshot *snapshot, const struct handler *h)
{
	struct signals_handler r = { .record = process_snapshot_head(
					     snapshot, run, 0, SIGNALS_HANDLER),
		.address = h->place.address,
		.flags = h->place.flags,
		.blocked = h->place.blocked,
		.signal = h->place.signal,
		.object_state = h->object_state,
		.symbol_state = h->symbol_state,
		.symbol_offset = h->symbol.inside };
	struct record_tail tail[] = {
		{ &r.symbol, h->symbol.name, strlen(h->symbol.name) },
		{ &r.object, h->mapping.path.data, h->mapping.path.size },
	};

	RECORD_APPEND(&run->out, &r, tail, ARRAY_SIZE(tail));
}

static uint8_t read_handlers(struct backend_run *run, const struct process_snapshot *snapshot)
{
	_cleanup_free_ struct handlers *h = calloc(1, sizeof(*h));
	struct signals_place places[SIGNALS_MAX];
	struct signals_reader *s = run->state;

	if (!s->handlers)
		return s->handlers_state;
	if (!(run->options.interest & INTEREST_DETAIL))
		return SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
	if (!h)
		return FAILED;
	h->state = s->handlers(run, &snapshot->id, places, &h->count);
	for (size_t i = 0; i < h->count; i++)
		h->all[i].place = places[i];
	if (h->count)
		find_symbols(s, snapshot, h);
	for (size_t i = 0; i < h->count; i++)
		write_handler(run, snapshot, &h->all[i]);
	return h->state;
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct signals_process end = { 0 };
	struct process_snapshot snapshot;
	int status = process_snapshot_open(&snapshot, run, pid, expected);

	if (status <= 0) {
		end.masks_state = end.threads_state = end.handlers_state = procfs_state(status);
		if (!status) {
			read_masks(run, &snapshot, &end);
			read_threads(run, &snapshot, &end);
			end.handlers_state = read_handlers(run, &snapshot);
		}
		end.record = process_snapshot_head(&snapshot, run, 0, SIGNALS_PROCESS);
		RECORD_APPEND(&run->out, &end, NULL, 0);
	}
	process_snapshot_close(&snapshot);
}

/* --- as a backend --- */

int signals_reader_open(struct backend_run *run, struct sooth_error *err)
{
	struct signals_reader *s = run->state;

	(void)err;
	members_init(&s->members);
	return 0;
}

int signals_reader_sample(struct backend_run *run, struct sooth_error *err)
{
	struct signals_reader *s = run->state;

	return members_visit(&s->members, run, sample_process, err);
}

void signals_reader_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}

void signals_reader_close(struct backend_run *run)
{
	struct signals_reader *s = run->state;

	members_fini(&s->members);
	timeout_fini(&s->timeout);
	buffer_fini(&s->tids);
	buffer_fini(&s->bytes);
	buffer_fini(&s->maps);
}
