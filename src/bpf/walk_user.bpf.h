/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Walks the user stack of the current thread, with the words of runtimes beside it, and makes its
 * record. New files are reported: the collector makes their tables.
 */
#pragma once

#include "bpf/unwind.bpf.h"
#include "bpf/registers.bpf.h"

struct walks_control walks_control SEC(".data.walks") = {};

#define FRAME_WORDS 2

/* Begins at these registers. False: code like this is not walked. */
static inline bool begin_at(struct walk *w, struct pt_regs *regs)
{
	w->pc = REGISTER_PC(regs);
	w->sp = REGISTER_SP(regs);
	w->fp = REGISTER_FP(regs);
	w->link = REGISTER_LINK(regs);
	w->has_link = HAS_LINK;
	return is_64_bit(regs);
}

/* Returns the thread of a walk, with only those members set that separately verified functions
 * need. */
static inline struct member walking_member(const struct walk *w)
{
	struct member m = { .start_ticks = w->raw.record.start_ticks,
		.pid = w->raw.record.pid,
		.tid = w->raw.record.tid };

	return m;
}

#include "bpf/runtimes.bpf.h"

/* Reports a file. The collector finds it by its mapping while the process exists, else by name. */
static inline void report_file(struct walk *w)
{
	struct vm_area_struct *vma = (void *)w->mapping.vma;
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct profile_seen *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	struct member m = walking_member(w);
	uint32_t device;

	if (!r) {
		bpf_map_delete_elem(&files, &w->mapping.file); /* the next sample reports it */
		return;
	}
	device = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	record_fill(&r->record, &m, PROFILE_SEEN, RECORD_WORDS(struct profile_seen),
		bpf_ktime_get_ns());
	r->file = w->mapping.file;
	r->from = w->mapping.from;
	r->to = w->mapping.to;
	r->offset = w->mapping.from - w->mapping.shift;
	r->inode = file ? BPF_CORE_READ(file, f_inode, i_ino) : 0;
	r->device_major = device >> PROFILE_MINOR_BITS;
	r->device_minor = device & ((1u << PROFILE_MINOR_BITS) - 1);
	r->name[0] = 0;
	bpf_probe_read_kernel_str(
		r->name, sizeof(r->name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
}

static inline void request_table_of_file(struct walk *w)
{
	struct profile_file blank = {};

	if (w->mapping.file == PROFILE_FILE_NONE || bpf_map_lookup_elem(&files, &w->mapping.file))
		return;
	if (!bpf_map_update_elem(&files, &w->mapping.file, &blank, BPF_NOEXIST))
		report_file(w);
	else if (!bpf_map_lookup_elem(&files, &w->mapping.file))
		__sync_fetch_and_add(&walks_control.files_full, 1);
}

/* Writes the current frame of the walk. Returns 0 at the end of the walk. */
VERIFIED_ALONE_BY_NUMBERS int put_frame(uint32_t walk)
{
	struct walk *w = walk_at(walk);
	uint32_t at;
	bool is_known;

	if (!w)
		return 0;
	at = w->frames;
	w->address = w->pc - !w->is_exact;
	is_known = recall_place(w);
	if (!is_known && (!find_mapping(walk) || !w->mapping.is_code)) {
		w->end = w->pc ? PROFILE_NO_CODE : PROFILE_WHOLE;
		return 0;
	}
	if (at >= PROFILE_FRAMES_MAX) {
		w->end = PROFILE_DEPTH;
		return 0;
	}
	if (!is_known)
		request_table_of_file(w);
	put_runtime_frames(w, walk);
	at = (at & (PROFILE_FRAMES_MAX - 1)) * FRAME_WORDS;
	w->tail[at] = w->mapping.file;
	w->tail[at + 1] = w->address - w->mapping.shift;
	w->frames++;
	return 1;
}

static inline void forget_words(struct walk *w)
{
	w->raw.engine = w->raw.kernel_frames = 0;
	w->own.file = w->own.words = w->besides = 0;
}

/* Begins a walk. False: this thread is not walked. */
static inline bool begin_walk(
	struct walk *w, struct task_struct *task, const struct member *m, struct pt_regs *regs)
{
	w->raw.record.start_ticks = m->start_ticks;
	w->raw.record.pid = m->pid;
	w->raw.record.tid = m->tid;
	w->frames = 0;
	w->mm = (uint64_t)BPF_CORE_READ(task, mm);
	w->mapping.from = w->mapping.to = 0;
	w->is_exact = 1;
	w->tables_only = walks_control.tables_only != 0;
	w->end = PROFILE_KERNEL_ONLY;
	forget_words(w);
	if (!w->mm)
		return false;
	if (begin_at(w, regs))
		return true;
	w->end = PROFILE_FOREIGN;
	return false;
}

/* Walks from these registers of the current thread. */
static inline void walk_user(
	struct walk *w, struct task_struct *task, const struct member *m, struct pt_regs *regs)
{
	if (!begin_walk(w, task, m, regs))
		return;
	begin_runtimes(w);
	for (int i = 0; i <= PROFILE_FRAMES_MAX; i++) {
		if (!put_frame(w->index) || !step_up(w->index))
			break;
	}
}

/* Puts the words beside frames at the end of a tail of at most `most` words: outer frames come
 * last. Returns the number of words. */
static inline uint32_t put_beside(struct walk *w, uint32_t most)
{
	uint32_t at = walk_own_at(w), room = at < most ? (most - at) / PROFILE_FRAME_WORDS : 0;
	uint32_t frames = w->besides < room ? (uint32_t)w->besides : room;
	uint32_t bytes = frames * PROFILE_FRAME_WORDS * 8;

	if (at > PROFILE_TAIL_WORDS || bytes > sizeof(w->beside) ||
		bpf_probe_read_kernel(&w->tail[at], bytes, w->beside))
		return 0;
	return bytes / 8;
}

/* Makes the record of the walk. Returns the bytes behind its fixed part: `most` words. */
static inline uint32_t finish_within(
	struct walk *w, struct task_struct *task, const struct member *m, uint32_t most)
{
	uint32_t words, bytes;

	w->raw.words = (uint16_t)(w->own.words + put_beside(w, most));
	words = w->frames * FRAME_WORDS + w->raw.kernel_frames + w->raw.words;
	bytes = words * 8;
	w->raw.user_frames = w->frames;
	w->raw.end = w->end;
	bpf_probe_read_kernel_str(w->raw.thread, sizeof(w->raw.thread), task->comm);
	bpf_probe_read_kernel_str(
		w->raw.process, sizeof(w->raw.process), BPF_CORE_READ(task, group_leader)->comm);
	if (bytes > sizeof(w->tail))
		bytes = sizeof(w->tail);
	record_fill(&w->raw.record, m, PROFILE_RAW, RECORD_WORDS(struct profile_raw) + words,
		bpf_ktime_get_ns());
	w->raw.record.fixed_words = RECORD_WORDS(struct profile_raw);
	return bytes;
}

static inline uint32_t finish(struct walk *w, struct task_struct *task, const struct member *m)
{
	return finish_within(w, task, m, PROFILE_TAIL_MOST);
}
