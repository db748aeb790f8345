/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writes one record per call. */
#pragma once

#include "bpf/api.bpf.h"
#include "bpf/budget.bpf.h"
#include "bpf/database.bpf.h"

static inline void call_fill(
	struct syscalls_call *r, struct thread *t, int64_t result, uint64_t now)
{
	record_fill(&r->record, &t->member, SYSCALLS_CALL, RECORD_WORDS(struct syscalls_call), now);
	r->duration_ns = t->entered_ns ? now - t->entered_ns : 0;
	r->duration_state = t->entered_ns ? 0 : STATE_UNSEEN;
	r->result = result;
	__builtin_memcpy(r->arguments, t->arguments, sizeof(r->arguments));
	r->number = t->number;
	r->abi = t->abi;
	r->path_argument = 0;
	r->path_state = 1; /* SOOTH_STATE_ABSENT */
	r->result_state = 0;
	r->class_ = t->budget.class_;
	r->gaps = t->budget.gaps;
	if (uses_own_ids(current_task()))
		r->gaps |= SYSCALLS_OWN_PIDS;
	r->skipped = t->budget.skipped;
	t->budget.gaps &= (uint8_t) ~(SYSCALLS_GAP_KEPT | SYSCALLS_GAP_TIME);
	r->path.offset = 0;
	r->path.size = 0;
	r->pieces.offset = 0;
	r->pieces.size = 0;
	bpf_get_current_comm(r->name, sizeof(r->name));
}

static void stream_call_without_pieces(
	struct thread *t, int64_t result, uint64_t now, uint8_t result_state)
{
	struct syscalls_call *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		__sync_fetch_and_add(&follow_control.lost_records, 1);
		return;
	}
	call_fill(r, t, result, now);
	r->result_state = result_state;
	bpf_ringbuf_submit(r, ring_flags());
}

static inline void begin_pieces(struct call_with_pieces *p, const struct thread *t)
{
	p->at = 0;
	p->string_argument = 0;
	p->path_bytes = t->path_bytes;
	p->requested_state = t->requested_state;
	__builtin_memcpy(p->asked, t->asked, sizeof(p->asked));
	__builtin_memcpy(p->arguments, t->arguments, sizeof(p->arguments));
	if (t->path_bytes > 0)
		__builtin_memcpy(p->path, t->path, sizeof(p->path));
}

/* Returns the row of the call in config.captures. Numbers of x32 are in neither ABI. */
static inline uint32_t captures_row(const struct thread *t)
{
	uint32_t number = t->number & (SYSCALLS_NUMBERS - 1);

	return t->abi == ABI_NATIVE ? number : number + SYSCALLS_NUMBERS;
}

static inline bool has_captures(const struct thread *t)
{
	return config.keeps_pieces && t->abi != ABI_X32 && t->number < SYSCALLS_NUMBERS &&
	       config.captures[captures_row(t)][0].keep;
}

static void stream_with_pieces(
	struct thread *t, int64_t result, uint64_t now, uint32_t scratch_index)
{
	struct call_with_pieces *p = bpf_map_lookup_elem(&scratch, &scratch_index);
	uint32_t bytes;

	if (!p)
		return;
	call_fill(&p->call, t, result, now);
	begin_pieces(p, t);
	for (uint32_t i = 0; i < SYSCALLS_PIECES; i++) {
		if (!keep_one(captures_row(t), i, scratch_index))
			break;
	}
	if (config.keeps_status && t->abi == ABI_NATIVE)
		keep_answer(p, t, result, scratch_index);
	for (uint32_t i = 0; i < SYSCALLS_PIECES && config.keeps_api && t->abi == ABI_NATIVE; i++) {
		if (!keep_api(t->number, i, scratch_index))
			break;
	}
	bytes = p->at;
	if (bytes > PIECES_BYTES)
		return;
	name_path(p);
	p->call.pieces.offset = sizeof(struct syscalls_call);
	p->call.pieces.size = bytes;
	bytes += sizeof(struct syscalls_call);
	p->call.record.words = (uint16_t)(bytes / SOOTH_RECORD_WORD);
	if (bpf_ringbuf_output(&ring, &p->call, bytes, ring_flags()))
		__sync_fetch_and_add(&follow_control.lost_records, 1);
}

/* Returns the argument to read when the call begins; 0: none. */
static inline uint32_t entry_argument(const struct thread *t)
{
	if (t->abi != ABI_NATIVE || t->number >= sizeof(config.entry_arguments))
		return 0;
	return config.entry_arguments[t->number];
}

static void stream_call(struct thread *t, int64_t result, uint64_t now, uint32_t scratch_index)
{
	if (config.only_failed && !aggregate_is_error(result) && !t->is_followed)
		return;
	if (config.only_api && !is_of_api(t, result))
		return;
	if (has_captures(t))
		stream_with_pieces(t, result, now, scratch_index);
	else
		stream_call_without_pieces(t, result, now, 0);
}
