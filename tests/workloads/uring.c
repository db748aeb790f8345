/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests through io_uring by raw system calls: NOP, READ and WRITE, as often as asked for each,
 * handed over in batches by io_uring_enter(2), or taken by a thread of the kernel (--sqpoll), to
 * which they are only shown. With --port it also asks a server of HTTP on this machine, by SEND and
 * RECV, or with --as-file by WRITE and READ. The truth has a line `# uring NAME COUNT` for each
 * kind.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define ENTRIES 64

static uint64_t nops = 100, reads = 50, writes = 25;
static uint64_t port, calls = 3;
static bool has_sqpoll, as_file;

struct ring {
	int fd;
	unsigned *sq_head, *sq_tail, *sq_mask, *sq_flags, *sq_array;
	unsigned *cq_head, *cq_tail;
	struct io_uring_sqe *sqes;
	unsigned waiting; /* shown, and not handed over */
	uint64_t enters;
};

static void *map_at(int fd, size_t size, off_t at)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, at);
}

static int ring_open(struct ring *r)
{
	struct io_uring_params p = { .flags = has_sqpoll ? IORING_SETUP_SQPOLL : 0,
		.sq_thread_idle = 50 };
	char *sq, *cq;

	r->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &p);
	if (r->fd < 0)
		return errno == ENOSYS || errno == EPERM ? -EOPNOTSUPP : -errno;
	sq = map_at(r->fd, p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	cq = map_at(r->fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
		IORING_OFF_CQ_RING);
	r->sqes = map_at(r->fd, p.sq_entries * sizeof(*r->sqes), IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || r->sqes == MAP_FAILED)
		return -errno;
	r->sq_head = (void *)(sq + p.sq_off.head);
	r->sq_tail = (void *)(sq + p.sq_off.tail);
	r->sq_mask = (void *)(sq + p.sq_off.ring_mask);
	r->sq_flags = (void *)(sq + p.sq_off.flags);
	r->sq_array = (void *)(sq + p.sq_off.array);
	r->cq_head = (void *)(cq + p.cq_off.head);
	r->cq_tail = (void *)(cq + p.cq_off.tail);
	return 0;
}

static int enter(struct ring *r, unsigned submit, unsigned complete, unsigned flags)
{
	r->enters++;
	return syscall(SYS_io_uring_enter, r->fd, submit, complete, flags, NULL, 0) < 0 ? -errno
											: 0;
}

/* Until all that was shown is done. */
static int finish(struct ring *r)
{
	unsigned head = *r->cq_head, want = head + r->waiting;
	int err = 0;

	if (has_sqpoll) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(r->sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP)
			err = enter(r, 0, 0, IORING_ENTER_SQ_WAKEUP);
		while (!err && (int)(__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) - want) < 0)
			sleep_ns(NS_PER_MS);
	} else {
		err = enter(r, r->waiting, r->waiting, IORING_ENTER_GETEVENTS);
	}
	__atomic_store_n(r->cq_head, want, __ATOMIC_RELEASE);
	r->waiting = 0;
	return err;
}

static int ask_of(struct ring *r, uint8_t opcode, int fd, void *at, unsigned size)
{
	unsigned tail = *r->sq_tail, slot = tail & *r->sq_mask;

	r->sqes[slot] = (struct io_uring_sqe){
		.opcode = opcode, .fd = fd, .addr = (uintptr_t)at, .len = size
	};
	r->sq_array[slot] = slot;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	return ++r->waiting == ENTRIES ? finish(r) : 0;
}

static int ask(struct ring *r, uint8_t opcode, int fd)
{
	static char byte;

	return fd < 0 ? ask_of(r, opcode, fd, NULL, 0) : ask_of(r, opcode, fd, &byte, 1);
}

/* One after the other on one connection; an answer is as long as what comes at once. */
static int ask_server(struct ring *r)
{
	static char request[] = "GET /through-io-uring HTTP/1.1\r\nHost: localhost\r\n\r\n",
		    answer[4096];
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0 || connect(fd, (void *)&to, sizeof(to)))
		return -errno;
	for (uint64_t i = 0; i < calls && !err; i++) {
		err = ask_of(r, as_file ? IORING_OP_WRITE : IORING_OP_SEND, fd, request,
			sizeof(request) - 1);
		err = err ? err : finish(r);
		err = err ? err
			  : ask_of(r, as_file ? IORING_OP_READ : IORING_OP_RECV, fd, answer,
				    sizeof(answer));
		err = err ? err : finish(r);
	}
	close(fd);
	return err;
}

static int ask_all(struct ring *r)
{
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	int err = zero < 0 ? -errno : 0;

	for (uint64_t i = 0; i < nops && !err; i++)
		err = ask(r, IORING_OP_NOP, -1);
	for (uint64_t i = 0; i < reads && !err; i++)
		err = ask(r, IORING_OP_READ, zero);
	for (uint64_t i = 0; i < writes && !err; i++)
		err = ask(r, IORING_OP_WRITE, zero);
	if (!err && r->waiting)
		err = finish(r);
	if (!err && port)
		err = ask_server(r);
	close(zero);
	return err;
}

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	struct ring r = { .fd = -1 };
	int err = workload_ready(w);

	if (!err)
		err = truth_begin(&truth);
	if (!err)
		err = ring_open(&r);
	if (!err)
		err = ask_all(&r);
	if (err)
		return err;
	fprintf(truth.out, "io_uring_setup 1 0\nio_uring_enter %" PRIu64 " 0\n", r.enters);
	fprintf(truth.out, "# uring NOP %" PRIu64 "\n# uring READ %" PRIu64 "\n", nops, reads);
	fprintf(truth.out, "# uring WRITE %" PRIu64 "\n", writes);
	return truth_commit(&truth, w);
}

static const struct param params[] = {
	{ "nops", "N", "requests that do nothing (100)", PARAM_NUMBER, &nops, 0, 1000000000 },
	{ "reads", "N", "reads of one byte of /dev/zero (50)", PARAM_NUMBER, &reads, 0,
		1000000000 },
	{ "writes", "N", "writes of one byte to it (25)", PARAM_NUMBER, &writes, 0, 1000000000 },
	{ "port", "PORT", "of a server of HTTP on this machine that is asked", PARAM_NUMBER, &port,
		0, 65535 },
	{ "calls", "N", "how often it is asked (3)", PARAM_NUMBER, &calls, 0, 1000000 },
	{ "as-file", NULL, "by WRITE and READ instead of SEND and RECV", PARAM_FLAG, &as_file, 0,
		0 },
	{ "sqpoll", NULL, "a thread of the kernel takes them", PARAM_FLAG, &has_sqpoll, 0, 0 },
	{ 0 },
};

const struct scenario scenario_uring = {
	.name = "uring",
	.help = "requests through io_uring",
	.params = params,
	.run = run,
};
