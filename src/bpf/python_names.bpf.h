/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Sends the names of the functions of Python on a walk. The collector could read them from the
 * process, but not if the process has ended before the collector reads the walk: a wait is known
 * only at its end, and a program may end right after. So each name goes through the ring when it is
 * first met. During a walk the code object is in use, so its names are in memory.
 */
#pragma once

#include "bpf/python.bpf.h"

#define NAMES_BITS 12

/* Marks of names that were sent. A mark that takes another's place costs sending that name once
 * more. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << NAMES_BITS);
	__type(key, uint32_t);
	__type(value, uint64_t);
} names_sent SEC(".maps");

/* Reads a text. False: it cannot be read now. */
static inline bool read_text(
	struct profile_python_text *t, const struct python_layout *l, uint64_t text)
{
	uint32_t bytes;

	t->unused = 0;
	if (bpf_probe_read_user(
		    &t->length, sizeof(t->length), (const void *)(text + PYTHON_TEXT_LENGTH)) ||
		bpf_probe_read_user(
			&t->state, sizeof(t->state), (const void *)(text + PYTHON_TEXT_STATE)))
		return false;
	if (t->length >= PROFILE_TEXT_BYTES)
		return true;
	bytes = (uint32_t)t->length * PYTHON_KIND(t->state);
	if (bytes >= PROFILE_TEXT_BYTES)
		return true;
	asm volatile("" : "+r"(bytes)); /* the verifier has to see the bound */
	bytes &= PROFILE_TEXT_BYTES - 1;
	return !bpf_probe_read_user(t->letters, bytes,
		(const void *)(text +
			       (t->state & PYTHON_IS_ASCII ? l->text_ascii : l->text_other)));
}

static inline bool read_names(struct profile_python_name *r, const struct python_layout *l)
{
	uint64_t path;

	return !bpf_probe_read_user(
		       &path, sizeof(path), (const void *)(r->frame.code + l->code_file)) &&
	       read_text(&r->name, l, r->frame.name) && read_text(&r->path, l, path);
}

static inline uint64_t mark_of_name(const struct walk *w, const struct profile_raw_python *f)
{
	uint64_t mark =
		(w->raw.record.start_ticks ^ (uint64_t)w->raw.record.pid << 40) * HASH_FACTOR;

	mark = (mark ^ f->code) * HASH_FACTOR;
	mark = (mark ^ f->name ^ f->line << 48) * HASH_FACTOR;
	return mark ? mark : 1;
}

VERIFIED_ALONE_BY_NUMBERS int send_name(uint32_t walk, uint32_t number)
{
	struct walk *w = walk_at(walk);
	struct profile_python_name *r;
	struct profile_raw_python f;
	struct profile_python *p;
	uint64_t mark, *sent;
	uint32_t at, slot;
	struct member m;

	if (!w)
		return 0;
	at = (2 * w->frames + w->raw.kernel_frames + number) & WALK_TAIL_MASK;
	f.code = w->tail[at];
	f.name = w->tail[at + 1];
	f.line = (uint32_t)w->tail[at + 2];
	mark = mark_of_name(w, &f);
	slot = (uint32_t)(mark >> (64 - NAMES_BITS));
	sent = bpf_map_lookup_elem(&names_sent, &slot);
	p = bpf_map_lookup_elem(&pythons, &w->own.file);
	if (!p || !sent || *sent == mark)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r)
		return 0;
	m = walking_member(w);
	record_fill(&r->of.record, &m, PROFILE_RUNTIME_NAME,
		RECORD_WORDS(struct profile_python_name), bpf_ktime_get_ns());
	r->of.runtime = RUNTIME_python;
	r->frame = f;
	r->file = w->own.file;
	if (!read_names(r, &p->layout)) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return 0;
	}
	*sent = mark;
	bpf_ringbuf_submit(r, ring_flags());
	return 0;
}

VERIFIED_ALONE_BY_NUMBERS int send_names(uint32_t walk)
{
	struct walk *w = walk_at(walk);

	if (!w)
		return 0;
	for (uint32_t i = PYTHON_HEAD_WORDS; i < PROFILE_STACK_WORDS; i += 3) {
		if (i >= w->own.words)
			break;
		send_name(walk, i);
	}
	return 0;
}
