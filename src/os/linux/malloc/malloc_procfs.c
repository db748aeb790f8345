/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc by procfs: reads the heaps of glibc from the memory of the process (glibc_heap.h), which
 * is neither stopped nor attached to. A child with a timeout does that: a page may be backed by a
 * file that never answers. Only the last sample of an observation is read, if that is enough.
 *
 * Cannot be seen: other allocators, which are named; processes that the caller may not trace.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/linux/bpf/members.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/timeout.h"
#include "os/linux/malloc/glibc_heap.h"
#include "os/linux/rights/needs.h"
#include "os/linux/runtimes/runtimes_seen.h"
#include "os/os.h"
#include "probes/malloc.h"

#define READ_MS	      4000
#define BYTES_MOST    (1ull << 30) /* takes a second or less */
#define MANGLED_SINCE 32	   /* of glibc 2 */
#define UNSUPPORTED   SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
#define LIBRARY	      "libc.so.6"
#define OLD_LIBRARY   "libc-2." /* before 2.34 */

struct malloc_state {
	struct members members;
	struct timeout timeout;
	struct runtimes runtimes;
	struct buffer maps;
	bool has_begun;
};

/* Facts that the mappings of a process show. */
struct found {
	struct glibc_heap *heap;
	struct runtimes_seen seen;
	struct span program; /* path of the first mapped file */
	bool is_mangled;
};

static struct span name_in(struct span path)
{
	const char *slash = path.size ? memrchr(path.data, '/', path.size) : NULL;
	size_t skip = slash ? (size_t)(slash + 1 - path.data) : 0;

	return span_of(path.data + skip, path.size - skip);
}

/* Returns whether a file is glibc, or the program itself, which may have glibc inside. */
static bool may_have_arena(struct found *f, const struct maps_line *line)
{
	struct span name = name_in(line->path);

	if (span_starts(name, OLD_LIBRARY)) {
		struct cursor c = cursor_over(name.data, name.size);

		cursor_skip(&c, OLD_LIBRARY);
		f->is_mangled = cursor_decimal(&c) >= MANGLED_SINCE;
		return true;
	}
	return span_equal(name, LIBRARY) ||
	       (line->path.size == f->program.size &&
		       !memcmp(line->path.data, f->program.data, line->path.size));
}

static void take_line(struct found *f, const struct maps_line *line)
{
	struct glibc_heap *h = f->heap;

	if (line->inode && !f->program.size)
		f->program = line->path;
	if (line->inode && line->is_executable)
		runtimes_see_file(&f->seen, line->path);
	if (span_equal(line->path, "[heap]")) {
		h->brk.from = h->brk.from ? h->brk.from : line->from;
		h->brk.to = line->to;
	}
	if (line->inode && line->is_readable && line->is_writable && !line->is_shared &&
		h->data_count < GLIBC_DATA_MAX && may_have_arena(f, line))
		h->data[h->data_count++] = (struct glibc_range){ line->from, line->to };
}

/* --- the child with a timeout --- */

static void run_read_job(void *argument)
{
	do_read_glibc_heap(argument);
}

static void drop_read(void *argument)
{
	struct glibc_heap *h = argument;

	free(h->scratch);
	free(h->regions);
	close(h->process);
}

/* Reads the heaps with a timeout. Returns 0 or a negative errno. */
static int read_heap(struct malloc_state *s, struct glibc_heap *h, int process)
{
	int status = -ENOMEM;

	h->scratch = malloc(GLIBC_SCRATCH_BYTES);
	h->regions = malloc(GLIBC_REGIONS_MAX * sizeof(*h->regions));
	h->process = fcntl(process, F_DUPFD_CLOEXEC, 0);
	if (h->scratch && h->regions && h->process >= 0)
		status = timeout_call(
			&s->timeout, run_read_job, drop_read, h, sizeof(*h), h->process, READ_MS);
	if (status != -ETIMEDOUT)
		drop_read(h);
	return status;
}

/* --- the record --- */

static const char *const results[] = {
	[GLIBC_REFUSED] = "the memory of the process may not be read: run sooth as root",
	[GLIBC_NO_ARENA] = "no malloc of glibc was found in it",
	[GLIBC_UNUSED] = "it never used the malloc of glibc",
	[GLIBC_ELSEWHERE] = "the heap of glibc is not at its usual place",
	[GLIBC_CUT] = "it is larger than what sooth reads (1 GiB, 2.5 s)",
	[GLIBC_SWAPPED] = "it is swapped out",
	[GLIBC_CHANGED] = "it changed while sooth read it",
};

static const char *other_allocator(const struct runtimes_seen *seen)
{
	static const struct {
		enum maps_runtime runtime;
		const char *reason;
	} others[] = {
		{ MAPS_JEMALLOC, "it allocates with jemalloc: MALLOC_CONF=stats_print:true prints "
				 "its statistics at the end" },
		{ MAPS_MIMALLOC, "it allocates with mimalloc: MIMALLOC_SHOW_STATS=1 prints its "
				 "statistics at the end" },
		{ MAPS_TCMALLOC,
			"it allocates with tcmalloc: MALLOCSTATS=1 prints its statistics" },
		{ MAPS_MUSL, "it allocates with musl, which keeps no sums" },
		{ MAPS_GO, "it allocates with Go: GODEBUG=gctrace=1 prints its heap at each "
			   "collection" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (seen->why[others[i].runtime][0])
			return others[i].reason;
	}
	return NULL;
}

static const char *reason_of(const struct found *f)
{
	enum glibc_result result = f->heap->result;
	const char *other = other_allocator(&f->seen);

	if ((result == GLIBC_NO_ARENA || result == GLIBC_UNUSED) && other)
		return other;
	return result ? results[result] : NULL;
}

static void set_values(struct malloc_heap *r, const struct found *f)
{
	const struct glibc_heap *h = f->heap;

	r->resident_bytes = h->sums.resident;
	r->live_resident_bytes = h->sums.live_resident;
	r->live_bytes = h->sums.live;
	r->live_blocks = h->sums.blocks;
	r->free_page_bytes = h->sums.free_pages;
	r->arena_bytes = h->sums.arena_resident;
	r->unread_bytes = h->sums.unread;
	r->arenas = h->arenas;
	r->is_upper_bound = !f->is_mangled;
	if (h->result && !h->sums.resident)
		r->state = h->result == GLIBC_REFUSED ? SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
			   : h->result == GLIBC_SWAPPED || h->result == GLIBC_CHANGED
				   ? SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)
				   : UNSUPPORTED;
}

/* Reads the heaps of a process. Returns why not all of them were read; NULL: all were. */
static const char *fill_in(
	struct malloc_state *s, const struct process_snapshot *snapshot, struct malloc_heap *r)
{
	struct glibc_heap heap = { .pid = (pid_t)snapshot->id.pid,
		.bytes_most = BYTES_MOST,
		.page_bytes = (uint64_t)sysconf(_SC_PAGESIZE) };
	struct found f = { .heap = &heap, .is_mangled = true };
	uint64_t begin_ns = clock_monotonic_ns();
	int status = timeout_read_at(
		&s->timeout, snapshot->process, "maps", &s->maps, PROCFS_MAPS, READ_MS);
	struct maps_line line;

	if (status >= 0) {
		maps_for_each (&line, s->maps)
			take_line(&f, &line);
		runtimes_see_executable(&s->runtimes, &s->timeout, snapshot->process, &f.seen);
		heap.is_mangled = f.is_mangled;
		status = read_heap(s, &heap, snapshot->process);
	}
	if (status < 0) {
		r->state = procfs_state(process_snapshot_status(snapshot, status));
		return status == -EACCES || status == -EPERM
			       ? results[GLIBC_REFUSED]
			       : "its mappings or its memory could not be read";
	}
	set_values(r, &f);
	r->read_ns = clock_monotonic_ns() - begin_ns;
	return reason_of(&f);
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct malloc_state *s = run->state;
	struct malloc_heap r = { 0 };
	struct process_snapshot snapshot;
	int status = process_snapshot_open(&snapshot, run, pid, expected);
	const char *reason = status < 0 ? "it had ended, or may not be read" : NULL;

	if (!status)
		reason = fill_in(s, &snapshot, &r);
	else if (status < 0)
		r.state = procfs_state(status);
	if (status <= 0) {
		struct record_tail tail[] = { { &r.reason, reason, reason ? strlen(reason) : 0 } };

		r.reason_state = reason ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
		r.record = process_snapshot_head(&snapshot, run, 0, MALLOC_HEAP);
		RECORD_APPEND(&run->out, &r, tail, 1);
	}
	process_snapshot_close(&snapshot);
}

static int malloc_sample(struct backend_run *run, struct sooth_error *err)
{
	struct malloc_state *s = run->state;
	bool is_first = !s->has_begun;

	s->has_begun = true;
	if (is_first && run->options.interest & INTEREST_EDGES)
		return 0;
	return members_visit(&s->members, run, sample_process, err);
}

static int malloc_open(struct backend_run *run, struct sooth_error *err)
{
	struct malloc_state *s = run->state;

	(void)err;
	members_init(&s->members);
	runtimes_init(&s->runtimes);
	return 0;
}

static void malloc_close(struct backend_run *run)
{
	struct malloc_state *s = run->state;

	members_fini(&s->members);
	runtimes_fini(&s->runtimes);
	timeout_fini(&s->timeout);
	buffer_fini(&s->maps);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_malloc_procfs = {
	.name = "procfs",
	.probe = "malloc",
	.help = "reads the heaps of glibc from the memory of the process; nothing is attached",
	.needs = needs,
	.state_size = sizeof(struct malloc_state),
	.open = malloc_open,
	.set = members_backend_set,
	.start = malloc_sample,
	.sample = malloc_sample,
	.stop = members_backend_stop,
	.close = malloc_close,
};
