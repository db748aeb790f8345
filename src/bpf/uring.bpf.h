/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counts requests to io_uring in the thread that submits them: in io_uring_enter(2), or a kernel
 * thread that takes them from the ring (IORING_SETUP_SQPOLL). Since Linux 5.12 the kernel thread
 * belongs to the process, but it has no fork event; so it is followed from its first request on.
 */
#pragma once

#include "bpf/follow.bpf.h"

#define PF_IO_WORKER 0x10

static struct thread *follow_worker(struct task_struct *task)
{
	struct thread *leader;

	if (!(TASK_READ(task, flags) & PF_IO_WORKER))
		return 0;
	if (following.adopt)
		return adopt_thread(task);
	leader = thread_of(TASK_READ(task, group_leader));
	if (!leader || !leader->member.interest)
		return 0;
	return follow_thread(task, leader->member.interest, bpf_ktime_get_ns());
}

static struct thread *submitter_thread(void)
{
	struct thread *t = thread_current();

	if (!t)
		t = follow_worker(current_task());
	return t && t->member.interest && !t->member.is_before_exec ? t : 0;
}

enum uring_reported { URING_REPORTED = 1, URING_SOCKET_REPORTED = 2 };

static inline int emit_requests(struct thread *t, uint32_t opcode, uint64_t count, uint32_t sockets,
	uint64_t from, uint64_t now)
{
	struct syscalls_uring *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r)
		return 0;
	record_fill(
		&r->record, &t->member, SYSCALLS_URING, RECORD_WORDS(struct syscalls_uring), now);
	r->from_ns = from;
	r->count = count;
	r->opcode = opcode;
	r->sockets = sockets;
	bpf_ringbuf_submit(r, ring_flags());
	return 1;
}

/* Counts a request. The first of a kind is recorded at once, so that consumers know early that
 * system calls are not all I/O. */
VERIFIED_ALONE int count_request(struct thread *t, uint32_t opcode, uint32_t is_socket)
{
	uint8_t is_news = is_socket ? URING_SOCKET_REPORTED : URING_REPORTED;
	uint64_t now;

	if (!t)
		return 0;
	if (opcode >= SYSCALLS_URING_OPS)
		opcode = SYSCALLS_URING_OPS - 1;
	t->uses_uring = 1;
	if (t->member.interest & INTEREST_STREAM && !(t->uring_reported[opcode] & is_news)) {
		now = bpf_ktime_get_ns();
		t->uring_reported[opcode] |= is_news;
		if (emit_requests(t, opcode, 1, is_socket, now, now))
			return 0;
	}
	t->uring[opcode]++;
	t->uring_sockets[opcode] += is_socket;
	return 0;
}

static inline uint32_t is_on_connection(int fd)
{
	return fd >= 0 && is_internet_socket((uint32_t)fd);
}

/* --- reads and writes: their file, and what they moved --- */

struct uring_begun {
	uint64_t from_ns;
	uint32_t opcode;
	int32_t fd;
};

/* Requests by address. The oldest entries are evicted, because they may never complete here. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, uint64_t);
	__type(value, struct uring_begun);
} uring_begun SEC(".maps");

static inline void begin_request(
	struct thread *t, unsigned long long *arguments, uint32_t opcode, int fd)
{
	struct uring_begun b = { .opcode = opcode, .fd = fd };
	uint64_t request = arguments[0];

	if (!(t->member.interest & INTEREST_STREAM) || !config.keeps_uring || opcode >= 64 ||
		!((SYSCALLS_URING_READS | SYSCALLS_URING_WRITES) >> opcode & 1))
		return;
	b.from_ns = bpf_ktime_get_ns();
	bpf_map_update_elem(&uring_begun, &request, &b, BPF_ANY);
}

SEC("raw_tp")
int on_uring_complete(unsigned long long *arguments)
{
	uint64_t request = arguments[1], now = bpf_ktime_get_ns();
	struct uring_begun *known = bpf_map_lookup_elem(&uring_begun, &request), b;
	struct syscalls_uring_done *r;
	int64_t result = 0;
	struct thread *t;

	if (!known)
		return 0;
	b = *known;
	bpf_map_delete_elem(&uring_begun, &request);
	t = submitter_thread();
	if (!t || !uring_completed(arguments, &result))
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&follow_control.lost_records, 1);
		return 0;
	}
	record_fill(&r->record, &t->member, SYSCALLS_URING_DONE,
		RECORD_WORDS(struct syscalls_uring_done), now);
	r->duration_ns = now - b.from_ns;
	r->result = result;
	r->fd = b.fd;
	r->opcode = b.opcode;
	bpf_ringbuf_submit(r, ring_flags());
	return 0;
}

/* --- requests --- */

static inline void count_and_begin_request(struct thread *t, unsigned long long *arguments)
{
	uint32_t opcode = uring_request_opcode(arguments);
	int fd = uring_request_fd(arguments);

	count_request(t, opcode, is_on_connection(fd));
	begin_request(t, arguments, opcode, fd);
}

/* Programs of type raw_tp, with untyped arguments: they differ between kernels. The first is of
 * io_uring_submit_req, the second of io_uring_submit_sqe; a kernel has one of them. */
SEC("raw_tp")
int on_uring_request(unsigned long long *arguments)
{
	struct thread *t = submitter_thread();

	if (!t)
		return 0;
	count_and_begin_request(t, arguments);
	t->member.done |= DONE_REQUEST;
	return 0;
}

SEC("raw_tp")
int on_uring_request_again(unsigned long long *arguments)
{
	struct thread *t = submitter_thread();

	if (t && !was_request_done(&t->member, DONE_REQUEST))
		count_and_begin_request(t, arguments);
	return 0;
}

SEC("raw_tp")
int on_uring_entry(unsigned long long *arguments)
{
	struct thread *t = submitter_thread();

	if (t)
		count_request(t, uring_entry_opcode(arguments, control.uring_argument), 0);
	return 0;
}

VERIFIED_ALONE int flush_uring(struct thread *t, uint32_t opcode, uint64_t now)
{
	if (!t || opcode >= SYSCALLS_URING_OPS || !t->uring[opcode])
		return 0;
	if (!emit_requests(
		    t, opcode, t->uring[opcode], t->uring_sockets[opcode], t->member.from_ns, now))
		__sync_fetch_and_add(&control.lost_uring, t->uring[opcode]);
	return 0;
}

static void flush_urings(struct thread *t, uint64_t now)
{
	if (!t->uses_uring)
		return;
	for (uint32_t i = 0; i < SYSCALLS_URING_OPS; i++)
		flush_uring(t, i, now);
}
