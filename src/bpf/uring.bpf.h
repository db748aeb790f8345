/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Requests that threads submit through io_uring, counted in the thread: in io_uring_enter(2), or by
 * a thread of the kernel that takes them from the ring (IORING_SETUP_SQPOLL). That thread belongs
 * to the process since Linux 5.12, but no fork event comes for it; so it is followed from its first
 * request on.
 */
#ifndef SOOTH_BPF_URING_H
#define SOOTH_BPF_URING_H

#include "bpf/follow.bpf.h"

#define PF_IO_WORKER 0x10

static struct thread *follow_worker(struct task_struct *task)
{
	struct thread *leader;

	if (!(TASK_READ(task, flags) & PF_IO_WORKER))
		return 0;
	if (following.adopt)
		return adopt(task);
	leader = thread_of(TASK_READ(task, group_leader));
	if (!leader || !leader->member.interest)
		return 0;
	return follow(task, leader->member.interest, bpf_ktime_get_ns());
}

static struct thread *submitter(void)
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

/* The first of its kind is a record at once: a consumer learns while it happens that calls are not
 * all. The others are added up. */
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

/* Programs of type raw_tp, with untyped arguments: they differ between kernels. The first is of
 * io_uring_submit_req, the second of io_uring_submit_sqe; a kernel has one of them. */
SEC("raw_tp")
int on_uring_request(unsigned long long *arguments)
{
	struct thread *t = submitter();

	if (!t)
		return 0;
	count_request(
		t, uring_request_opcode(arguments), is_on_connection(uring_request_fd(arguments)));
	t->member.done |= DONE_REQUEST;
	return 0;
}

SEC("raw_tp")
int on_uring_request_again(unsigned long long *arguments)
{
	struct thread *t = submitter();

	if (t && !was_done(&t->member, DONE_REQUEST))
		count_request(t, uring_request_opcode(arguments),
			is_on_connection(uring_request_fd(arguments)));
	return 0;
}

SEC("raw_tp")
int on_uring_entry(unsigned long long *arguments)
{
	struct thread *t = submitter();

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

#endif
