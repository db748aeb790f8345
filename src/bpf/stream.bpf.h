/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One record a call. */
#ifndef SOOTH_BPF_STREAM_H
#define SOOTH_BPF_STREAM_H

#include "bpf/syscalls_thread.bpf.h"

static inline void call_fill(
	struct syscalls_call *r, struct thread *t, int64_t result, uint64_t now)
{
	record_fill(&r->record, &t->member, SYSCALLS_CALL, RECORD_WORDS(struct syscalls_call), now);
	r->duration_ns = now - t->entered_ns;
	r->result = result;
	__builtin_memcpy(r->arguments, t->arguments, sizeof(r->arguments));
	r->number = t->number;
	r->abi = t->abi;
	r->path_argument = 0;
	r->path_state = 1; /* SOOTH_STATE_ABSENT */
	r->result_state = 0;
	__builtin_memset(r->unused, 0, sizeof(r->unused));
	r->path.offset = 0;
	r->path.size = 0;
	bpf_get_current_comm(r->name, sizeof(r->name));
}

static void stream_plain(struct thread *t, int64_t result, uint64_t now, uint8_t result_state)
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

/* The path: kept at the entry of an exec, else read now that its page has been touched. */
static inline long read_path(struct thread *t, char *to, uint32_t argument)
{
	if (t->path_bytes > 0) {
		__builtin_memcpy(to, t->path, SYSCALLS_PATH_MAX);
		return t->path_bytes;
	}
	if (argument < 1 || argument > 6)
		return -1;
	return bpf_probe_read_user_str(to, SYSCALLS_PATH_MAX,
		(const void *)(unsigned long)t->arguments[argument_slot(argument)]);
}

static void stream_with_path(struct thread *t, int64_t result, uint64_t now, uint32_t argument)
{
	uint32_t first = 0;
	struct call_with_path *r = bpf_map_lookup_elem(&scratch, &first);
	long size;
	uint32_t words;

	if (!r)
		return;
	call_fill(&r->call, t, result, now);
	size = read_path(t, r->path, argument);
	r->call.path_argument = (uint8_t)argument;
	if (size <= 0) {
		r->call.path_state = 4 | 6 << 4; /* SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) */
		size = 1;
	} else {
		/* A string that fills its room may go on: SOOTH_STATE_TRUNCATED. */
		r->call.path_state = size == SYSCALLS_PATH_MAX ? 2 : 0;
	}
	size--; /* the NUL stays outside */
	if (size < 0 || size >= SYSCALLS_PATH_MAX)
		return;
	r->call.path.offset = sizeof(struct syscalls_call);
	r->call.path.size = (uint32_t)size;
	words = RECORD_WORDS(struct syscalls_call) +
		((uint32_t)size + SOOTH_RECORD_WORD - 1) / SOOTH_RECORD_WORD;
	r->call.record.words = (uint16_t)words;
	words *= SOOTH_RECORD_WORD;
	if (words > sizeof(*r))
		return;
	if (bpf_ringbuf_output(&ring, r, words, ring_flags()))
		__sync_fetch_and_add(&follow_control.lost_records, 1);
}

static inline uint32_t path_argument(const struct thread *t)
{
	if (t->abi != ABI_NATIVE || t->number >= sizeof(config.path_arguments))
		return 0;
	return config.path_arguments[t->number];
}

static void stream_call(struct thread *t, int64_t result, uint64_t now)
{
	uint32_t argument = path_argument(t);

	if (argument)
		stream_with_path(t, result, now, argument);
	else
		stream_plain(t, result, now, 0);
}

#endif
