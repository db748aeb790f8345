/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes processes, threads, regions and arguments. */
#include "os/darwin/decode/proc_info.h"

#include <stdio.h>

#include "base/units.h"
#include "os/bsd/bytes.h"
#include "os/bsd/signal_numbers.h"
#include "probes/proc.h"

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
#define PERMISSION  SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)

/* struct proc_bsdinfo, and struct proc_taskinfo behind it. */
#define TASK(name, member, offset) AT_##name = offset,
enum task_at {
#include "os/darwin/decode/layouts.def"
};

#define COMM_SIZE   16
#define NAME_SIZE   32
#define NODEV	    UINT32_MAX
#define TICKS_PER_S 100

#define PROC_NUMBER(name, theirs, value) name = value,
enum proc_number {
#include "os/darwin/decode/layouts.def"
};

/* Returns the state. Nearly every process has status run: its running threads decide. */
static char state_of(const struct bsd_bytes *b)
{
	switch (bsd_u32(b, AT_STATUS)) {
	case STATUS_IDLE:
		return 'R'; /* being created */
	case STATUS_STOP:
		return 'T';
	case STATUS_ZOMBIE:
		return 'Z';
	case STATUS_RUN:
		return b->size >= TASKALL_SIZE && !bsd_u32(b, AT_RUNNING) ? 'S' : 'R';
	default:
		return 'S';
	}
}

static uint64_t mach_ns(uint64_t units, const struct mach_scale *scale)
{
	uint64_t whole, rest;

	if (!scale->denominator)
		return 0;
	whole = units / scale->denominator;
	rest = units % scale->denominator;
	return whole * scale->numerator + rest * scale->numerator / scale->denominator;
}

bool task_decode(
	struct bsd_process *out, const void *data, size_t size, const struct mach_scale *scale)
{
	const struct bsd_bytes b = { data, size };
	uint32_t device;

	if (size < BSDINFO_SIZE)
		return false;
	device = bsd_u32(&b, AT_TDEV);
	*out = (struct bsd_process){
		.id = { .pid = bsd_u32(&b, AT_PID) },
		.start_utc_ns =
			bsd_u64(&b, AT_START) * NS_PER_S + bsd_u64(&b, AT_START + 8) * NS_PER_US,
		.ppid = bsd_u32(&b, AT_PPID),
		.uid = bsd_u32(&b, AT_UID),
		.process_group = bsd_u32(&b, AT_PGID),
		.terminal = device == NODEV ? PROC_NO_TERMINAL
			    : device	    ? device
					    : 1,
		.terminal_group = bsd_u32(&b, AT_TPGID),
		.is_kernel = !bsd_u32(&b, AT_PID),
		.state = state_of(&b),
		.tracer_state = UNSUPPORTED,
		.signals_state = UNSUPPORTED,
		.memory_state = PERMISSION,
		.cpu_state = PERMISSION,
		.threads_state = PERMISSION,
	};
	out->id.start_ticks =
		out->start_utc_ns > scale->boot_utc_ns
			? (out->start_utc_ns - scale->boot_utc_ns) / (NS_PER_S / TICKS_PER_S)
			: 0;
	/* The longer name, unless none was registered. */
	bsd_copy(out->name, sizeof(out->name), &b, AT_NAME, NAME_SIZE);
	if (!out->name[0])
		bsd_copy(out->name, sizeof(out->name), &b, AT_COMM, COMM_SIZE);
	if (size < TASKALL_SIZE)
		return true;
	out->memory_state = out->cpu_state = out->threads_state = SOOTH_STATE_VALUE;
	out->vsz_bytes = bsd_u64(&b, AT_VIRTUAL);
	out->rss_bytes = bsd_u64(&b, AT_RESIDENT);
	out->cpu_ns = mach_ns(bsd_u64(&b, AT_USER) + bsd_u64(&b, AT_SYSTEM), scale);
	out->threads = bsd_u32(&b, AT_THREADS);
	return true;
}

/* --- signals --- */

#define KINFO_PROC(name, member, offset) AT_##name = offset,
enum kinfo_at {
#include "os/darwin/decode/layouts.def"
};

bool signals_decode(struct bsd_process *out, const void *data, size_t size)
{
	const struct bsd_bytes b = { data, size };

	if (size < KINFO_SIZE || bsd_u32(&b, AT_KINFO_PID) != out->id.pid)
		return false;
	out->signals_state = out->tracer_state = SOOTH_STATE_VALUE;
	/* The masks of pending and blocked signals are always empty here: they belong to
	 * threads. */
	out->pending_state = UNSUPPORTED;
	out->signals.ignored = bsd_signal_mask(bsd_u32(&b, AT_IGNORED));
	out->signals.caught = bsd_signal_mask(bsd_u32(&b, AT_CAUGHT));
	/* The debugger of a process becomes its parent. */
	out->tracer_pid = bsd_u32(&b, AT_FLAGS) & FLAG_TRACED ? bsd_u32(&b, AT_KINFO_PPID) : 0;
	if (out->tracer_pid && out->state == 'T')
		out->state = 't';
	return true;
}

#define AT_FOOTPRINT 72

bool footprint_decode(uint64_t *bytes, const void *data, size_t size)
{
	const struct bsd_bytes b = { data, size };

	if (size < RUSAGE_SIZE)
		return false;
	*bytes = bsd_u64(&b, AT_FOOTPRINT);
	return true;
}

/* --- threads --- */

#define THREAD(name, member, offset) AT_##name = offset,
enum thread_at {
#include "os/darwin/decode/layouts.def"
};

#define THREAD_NAME_SIZE   64
#define POLICY_ROUND_ROBIN 2

enum thread_state { THREAD_RUNNING = 1, THREAD_STOPPED, THREAD_WAITING, THREAD_UNINTERRUPTIBLE };

bool thread_decode(struct bsd_thread *out, uint64_t tid, const void *data, size_t size)
{
	static const char states[] = { '?', 'R', 'T', 'S', 'D', 'T' };
	const struct bsd_bytes b = { data, size };
	uint32_t state = bsd_u32(&b, AT_THREAD_STATE);

	if (size < THREAD_SIZE)
		return false;
	*out = (struct bsd_thread){
		.tid = tid,
		.cpu_ns = bsd_u64(&b, AT_THREAD_USER) + bsd_u64(&b, AT_THREAD_SYSTEM),
		.system_ns = bsd_u64(&b, AT_THREAD_SYSTEM),
		.asleep_state = UNSUPPORTED,
		.switches_state = UNSUPPORTED,
		.times_state = UNSUPPORTED, /* faults are among them */
		.signals_state = UNSUPPORTED,
		.processor_state = UNSUPPORTED,
		.is_realtime = bsd_u32(&b, AT_THREAD_POLICY) == POLICY_ROUND_ROBIN,
		.state = state < sizeof(states) ? states[state] : '?',
	};
	bsd_copy(out->name, sizeof(out->name), &b, AT_THREAD_NAME, THREAD_NAME_SIZE);
	return true;
}

/* --- regions --- */

#define REGION(name, member, offset) AT_##name = offset,
enum region_at {
#include "os/darwin/decode/layouts.def"
};

#define PATH_SIZE  1024
#define SHARE_TRUE 5 /* SM_TRUESHARED */

/* Names of the tags of regions that agents have. */
static const struct {
	uint8_t tag;
	const char *name;
} tags[] = {
#define TAG_NUMBER(name, theirs, value) { value, name },
#include "os/darwin/decode/layouts.def"
	{ 249, "[javascriptcore gigacage]" }, /* WebKit's own, VM_MEMORY_APPLICATION_SPECIFIC */
};

static const char *tag_name(uint32_t tag)
{
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (tags[i].tag == tag)
			return tags[i].name;
	}
	return "";
}

bool region_decode(struct bsd_mapping *out, const void *data, size_t size, uint32_t page_bytes)
{
	const struct bsd_bytes b = { data, size };
	uint32_t protection = bsd_u32(&b, AT_PROTECTION);
	struct maps_mapping *m = &out->mapping;

	if (size < REGION_SIZE)
		return false;
	*out = (struct bsd_mapping){ .path = bsd_string(&b, AT_PATH, PATH_SIZE) };
	m->from = bsd_u64(&b, AT_ADDRESS);
	m->to = m->from + bsd_u64(&b, AT_SIZE);
	m->offset = bsd_u64(&b, AT_OFFSET);
	m->inode = out->path.size ? bsd_u64(&b, AT_INODE) : 0;
	m->device_minor = out->path.size ? bsd_u32(&b, AT_DEVICE) : 0;
	m->rss_bytes = (uint64_t)bsd_u32(&b, AT_PAGES) * page_bytes;
	m->swap_bytes = (uint64_t)bsd_u32(&b, AT_SWAPPED) * page_bytes;
	m->private_dirty_bytes = (uint64_t)bsd_u32(&b, AT_DIRTIED) * page_bytes;
	m->pss_bytes = (uint64_t)bsd_u32(&b, AT_PRIVATE) * page_bytes;
	m->shared_clean_bytes = (uint64_t)bsd_u32(&b, AT_SHARED) * page_bytes;
	m->anonymous_bytes = out->path.size ? 0 : m->rss_bytes;
	m->page_bytes = page_bytes;
	/* VM_PROT_READ, WRITE and EXECUTE are the same bits. */
	m->protection = (uint8_t)((protection & 7) |
				  (bsd_u32(&b, AT_SHARE_MODE) == SHARE_TRUE ? MAPS_SHARED : 0));
	if (!out->path.size)
		out->path = span_of_string(tag_name(bsd_u32(&b, AT_TAG)));
	m->path_state = out->path.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	return true;
}

/* --- arguments --- */

#define ARGUMENTS_MAX 65536

bool arguments_decode(struct process_arguments *out, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	uint32_t count = cursor_u32(&c);
	const char *begin;

	if (c.failed || count > ARGUMENTS_MAX)
		return false;
	*out = (struct process_arguments){ .executable = cursor_until(&c, '\0') };
	while (!cursor_at_end(&c) && !*c.at)
		c.at++;
	begin = (const char *)c.at;
	while (count-- && !cursor_at_end(&c))
		cursor_until(&c, '\0');
	out->arguments = span_of(begin, (size_t)((const char *)c.at - begin));
	out->environment = span_of((const char *)c.at, cursor_left(&c));
	/* An empty string ends the environment; then strings of the kernel follow. */
	for (size_t i = 0; i < out->environment.size; i++) {
		if (!out->environment.data[i] && (!i || !out->environment.data[i - 1])) {
			out->environment.size = i;
			break;
		}
	}
	return true;
}
