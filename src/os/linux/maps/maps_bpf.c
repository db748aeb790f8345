/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps by BPF: the kernel's iterator over the mappings of one process (Linux 6.1 for one process
 * alone; over all processes it would wait for each address space's lock). It gives place,
 * protection and file, but no resident sizes; names are made here as fs/proc/task_mmu.c makes
 * them.
 *
 * A name that is uncertain (files under overlayfs, memory that only touches the heap) is not
 * guessed: such a process is read from /proc instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "bpf/maps.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/rights/caller.h"
#include "os/linux/files/maps.h"
#include "os/linux/maps/maps_snapshot.h"
#include "os/linux/bpf/members.h"
#include "os/linux/rights/needs.h"
#include "os/linux/files/timed_file.h"
#include "os/linux/files/procfs.h"

#define SNAPSHOT_MS 10000
#define PIECE_ONE   1 /* bytes per read: see take_visits() */

/* include/linux/mm.h */
#define VM_READ	    0x1u
#define VM_WRITE    0x2u
#define VM_EXEC	    0x4u
#define VM_MAYSHARE 0x80u

struct maps_state {
	struct members members;
	struct maps_reader reader;
	struct bpf_code code;
	uint32_t *selected;
	struct smaps_mapping gate; /* [vsyscall] on this kernel; to is 0: it has none */
};

/* --- names --- */

static uint8_t protection_of(uint64_t flags)
{
	return (uint8_t)((flags & VM_READ ? MAPS_READ : 0) | (flags & VM_WRITE ? MAPS_WRITE : 0) |
			 (flags & VM_EXEC ? MAPS_EXECUTE : 0) |
			 (flags & VM_MAYSHARE ? MAPS_SHARED : 0));
}

/* The test for the heap changed several times in the kernel; where that matters: false. */
static bool name_anonymous(const struct maps_visit *v, const char **name)
{
	if (v->from < v->brk_to && v->to > v->brk_from)
		*name = "[heap]";
	else if (v->from <= v->brk_to && v->to >= v->brk_from)
		return false;
	else if (v->from <= v->stack && v->to >= v->stack)
		*name = "[stack]";
	return true;
}

/* False when the name is uncertain. */
static bool name_mapping(
	struct maps_reader *r, const struct maps_visit *v, struct span text, struct maps_mapping *m)
{
	const char *name = NULL;

	buffer_reset(&r->path);
	switch (v->text) {
	case MAPS_TEXT_PATH:
		m->is_deleted = v->is_unlinked && smaps_cut_deleted(&text);
		break;
	case MAPS_TEXT_KERNEL:
		break;
	case MAPS_TEXT_NAMED:
		if (!name_anonymous(v, &name))
			return false;
		buffer_string(&r->path, name ? name : "[anon:");
		break;
	case MAPS_TEXT_NAMED_FILE:
		buffer_string(&r->path, "[anon_shmem:");
		break;
	case MAPS_TEXT_NONE:
		if (!name_anonymous(v, &name))
			return false;
		buffer_string(&r->path, name ? name : "");
		return true;
	default:
		return false;
	}
	if (!name)
		buffer_append(&r->path, text.data, text.size);
	if (v->text == MAPS_TEXT_NAMED_FILE || (v->text == MAPS_TEXT_NAMED && !name))
		buffer_char(&r->path, ']');
	return true;
}

static bool add_visit(struct maps_snapshot *m, const struct maps_visit *v, struct span text)
{
	struct maps_reader *r = m->reader;
	struct maps_mapping mapping = { .from = v->from,
		.to = v->to,
		.offset = v->offset,
		.inode = v->inode,
		.device_major = v->device >> 20,
		.device_minor = v->device & 0xfffff,
		.protection = protection_of(v->flags),
		.figures_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED),
		.flags_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED) };

	if (!name_mapping(r, v, text, &mapping))
		return false;
	maps_snapshot_put(m, &mapping, span_of((const char *)r->path.data, r->path.size));
	return true;
}

/* --- the iteration --- */

struct walk {
	struct maps_snapshot *snapshot;
	uint64_t space; /* of the process; 0: no mapping was visited */
	uint64_t from;	/* of the last visit */
	bool is_unsure;
	bool is_done;
};

/*
 * The complete visits among the bytes; a rest stays. At the end of a single task Linux (6.18 and
 * before) does not end the iteration but repeats the last piece forever: addresses that do not
 * ascend are the end.
 */
static void take_visits(struct walk *w, struct buffer *bytes)
{
	struct cursor c = cursor_over(bytes->data, bytes->size);
	size_t taken = 0;

	while (!w->is_unsure && !w->is_done) {
		struct span head = cursor_bytes(&c, sizeof(struct maps_visit));
		struct maps_visit v;
		struct span text;

		if (c.failed)
			break;
		memcpy(&v, head.data, sizeof(v));
		text = cursor_bytes(&c, v.text_size);
		if (c.failed)
			break;
		taken = bytes->size - cursor_left(&c);
		w->is_done = w->space && v.from <= w->from;
		w->space = v.space;
		w->from = v.from;
		if (!w->is_done)
			w->is_unsure = !add_visit(w->snapshot, &v, text);
	}
	buffer_consume(bytes, taken);
}

/* A descriptor to read the mappings of one process from. */
static int iterate(struct maps_state *s, uint32_t pid)
{
	union bpf_iter_link_info which = { .task = { .tid = pid } };
	LIBBPF_OPTS(
		bpf_link_create_opts, options, .iter_info = &which, .iter_info_len = sizeof(which));
	_cleanup_close_ int link = bpf_link_create(
		bpf_code_program(&s->code, "on_mapping"), 0, BPF_TRACE_ITER, &options);

	*s->selected = pid;
	return link < 0 ? link : bpf_iter_create(link);
}

static int walk(struct maps_state *s, struct walk *w)
{
	struct buffer *bytes = &s->reader.scratch;
	struct timed_file file;
	int fd = iterate(s, (uint32_t)w->snapshot->who.id.pid);
	int status = fd < 0 ? fd : 1;

	buffer_reset(bytes);
	if (fd >= 0)
		timed_file_take(&file, &s->reader.timeout, fd, SNAPSHOT_MS);
	while (status > 0 && !w->is_unsure && !w->is_done) {
		status = timed_file_read(&file, bytes, PIECE_ONE);
		if (status >= 0)
			take_visits(w, bytes);
	}
	if (fd >= 0)
		timed_file_close(&file);
	return status < 0 ? status : 0;
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct maps_state *s = run->state;
	struct maps_snapshot snapshot;
	struct walk w = { .snapshot = &snapshot };
	struct process_id now;
	size_t before;

	if (!maps_snapshot_begin(&snapshot, run, &s->reader, pid, expected))
		return;
	before = run->out.size;
	/* The kernel checks the caller's permission; and the pid may have been reused meanwhile. */
	if (caller_may_watch(&snapshot.who.id, NULL) || walk(s, &w) || w.is_unsure || !w.space ||
		procfs_identify_at(snapshot.who.process, &now)) {
		run->out.size = before;
		snapshot.end.mappings = 0;
		snapshot.end.mappings_state = SOOTH_STATE_VALUE;
		maps_snapshot_from_proc(&snapshot, false);
	} else if (s->gate.is.to && w.space > UINT32_MAX) { /* only programs of 64 bits have it */
		struct maps_mapping gate = s->gate.is;

		gate.figures_state = gate.flags_state =
			SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
		maps_snapshot_put(&snapshot, &gate, span_of("[vsyscall]", strlen("[vsyscall]")));
	}
	maps_snapshot_end(&snapshot);
}

/* --- the backend --- */

/* It belongs to no process: sooth's own mappings show it. */
static void find_gate(struct maps_state *s)
{
	struct buffer *bytes = &s->reader.scratch;
	int status = procfs_read_at(AT_FDCWD, "/proc/self/maps", bytes, PROCFS_MAPS);
	struct cursor c = cursor_over(bytes->data, status < 0 ? 0 : bytes->size);
	struct smaps_mapping m;

	while (!cursor_at_end(&c)) {
		if (smaps_begin(&m, cursor_line(&c)) && span_equal(m.path, "[vsyscall]"))
			s->gate = m;
	}
}

static void maps_close(struct backend_run *run)
{
	struct maps_state *s = run->state;

	bpf_code_close(&s->code);
	members_fini(&s->members);
	maps_reader_fini(&s->reader);
}

static int maps_open(struct backend_run *run, struct sooth_error *err)
{
	struct maps_state *s = run->state;
	int status;

	members_init(&s->members);
	maps_reader_init(&s->reader);
	status = bpf_code_open(&s->code, &bpf_image_maps, run->log, err);
	if (!status)
		status = bpf_code_load(&s->code, err);
	if (!status) {
		s->selected =
			bpf_code_variables(&s->code, ".data.control", sizeof(*s->selected), err);
		status = s->selected ? 0 : -EINVAL;
	}
	if (status)
		maps_close(run);
	else
		find_gate(s);
	return status;
}

static int maps_sample(struct backend_run *run, struct sooth_error *err)
{
	struct maps_state *s = run->state;

	return members_visit(&s->members, run, sample_process, err);
}

static void maps_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}

/*
 * It has no resident sizes. Where they are not needed it is tried last: measured on 6.18, it walks
 * 50,000 mappings in 28 ms where /proc/PID/maps takes 32, and loading it costs 24; so it would win
 * only with 300,000 mappings, and a process may have 65,530.
 */
static uint64_t maps_cost(
	const struct os *os, const struct probe_options *options, const struct buffer *processes)
{
	(void)os;
	(void)processes;
	return options->interest & INTEREST_DETAIL ? UINT64_MAX : 1;
}

static const struct need *const needs[] = { &need_procfs, &need_bpf, &need_btf, &need_pid_namespace,
	&need_walk_of_one, NULL };

const struct backend backend_maps_bpf = {
	.name = "bpf",
	.probe = "maps",
	.help = "a BPF iterator over the mappings of a process; no resident sizes",
	.needs = needs,
	.state_size = sizeof(struct maps_state),
	.sample_cost = maps_cost,
	.open = maps_open,
	.set = members_backend_set,
	.start = maps_sample,
	.sample = maps_sample,
	.joined = maps_joined,
	.stop = members_backend_stop,
	.close = maps_close,
};
