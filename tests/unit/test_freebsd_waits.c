/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits of threads of FreeBSD, from answers of its sysctls put together by hand: kern.proc with
 * threads, descriptors, kern.lockf, the lists of sockets.
 */
#include "freebsd_host.h"

#include "analyze/waits/waits.h"
#include "os/freebsd/decode/kinfo_lockf.h"
#include "os/freebsd/decode/socket_lists.h"

#define PROCESSES_MAX 8
#define FILES_SIZE    4096
#define PIPE	      0xfffff80001000000 /* its reader; the writer has the other half */
#define PIPE_WRITER   (PIPE + 0x160)
#define CLIENT	      0xfffff80002000000 /* pcb; so of a socket lies elsewhere */
#define SERVER	      0xfffff80003000000
#define LISTENER      0xfffff80004000000
#define UNIX_CLIENT   0xfffff80005000000
#define UNIX_SERVER   0xfffff80005100000
#define DATAGRAMS     0xfffff80002000400 /* its socket lies close behind that of CLIENT */
#define SOCKET	      0x0000100000000000 /* so = pcb - SOCKET, for these lists */
#define DEVICE	      ((uint64_t)7 << 32 | 9)

struct process {
	struct kinfo kinfo;
	unsigned char files[FILES_SIZE];
	size_t size;
};

static struct {
	struct host host;
	struct process processes[PROCESSES_MAX];
	struct kinfo all[PROCESSES_MAX];
	size_t count;
	unsigned char tcp[64 + 3 * 744], local[64 + 2 * 904], udp[32 + 400], locks[4096];
	size_t locks_size;
} w;

/* A thread that sleeps: in that message, on that address, for so many seconds. */
static struct process *sleeps(uint32_t pid, uint32_t ppid, const char *name, const char *message,
	uint64_t address, uint32_t seconds)
{
	struct process *p = &w.processes[w.count++];

	*p = (struct process){ .kinfo = kinfo(pid, ppid, 0, name) };
	memset(p->kinfo.bytes + 411, 0, 9);
	memcpy(p->kinfo.bytes + 411, message, strlen(message));
	put(p->kinfo.bytes, 64, address, 8);
	put(p->kinfo.bytes, 316, seconds, 4);
	return p;
}

static unsigned char *file(struct process *p, uint32_t type, int fd, uint32_t flags)
{
	unsigned char *at = p->files + p->size;

	put(at, 4, type, 4);
	put(at, 8, (uint64_t)fd, 4);
	put(at, 16, flags, 4);
	return at;
}

static void pipe_end(struct process *p, int fd, uint64_t own, uint64_t peer)
{
	unsigned char *at = file(p, 3, fd, 3);

	put(at, 304, own, 8);
	put(at, 312, peer, 8);
	p->size += pack(at, 368, "");
}

static void vnode(struct process *p, int fd, uint64_t inode, const char *path)
{
	unsigned char *at = file(p, 1, fd, 3);

	put(at, 32, 1, 4);
	put(at, 280, 1, 8);
	put(at, 288, DEVICE, 8);
	put(at, 304, inode, 8);
	put(at, 336, 1, 2);
	p->size += pack(at, 368, path);
}

static void internet_socket(
	struct process *p, int fd, uint64_t pcb, const char *local, const char *peer)
{
	unsigned char *at = file(p, 2, fd, 3);

	put(at, 36, 2, 4);
	put(at, 40, 1, 4);
	put(at, 44, 6, 4);
	memcpy(at + 48, local, 8);
	memcpy(at + 176, peer, 8);
	put(at, 304, pcb, 8);
	p->size += pack(at, 368, "internet");
}

static void local_socket(struct process *p, int fd, uint64_t pcb, uint64_t peer)
{
	unsigned char *at = file(p, 2, fd, 3);

	put(at, 36, 1, 4);
	put(at, 40, 1, 4);
	put(at, 304, pcb, 8);
	put(at, 320, peer, 8);
	p->size += pack(at, 368, "local");
}

static void tcp_entry(size_t i, uint64_t pcb, uint32_t state)
{
	unsigned char *at = w.tcp + 64 + i * 744;

	put(at, 0, 744, 8);
	put(at, 24, pcb - SOCKET, 8);
	put(at, 32, pcb, 8);
	put(at, 568, state, 4);
}

static void unix_entry(size_t i, uint64_t pcb)
{
	unsigned char *at = w.local + 64 + i * 904;

	put(at, 0, 904, 8);
	put(at, 8, pcb, 8);
	put(at, 672, pcb - SOCKET, 8);
}

static void lock_entry(uint32_t type, uint32_t pid, uint64_t inode)
{
	unsigned char *at = w.locks + w.locks_size;

	put(at, 4, 2, 4);
	put(at, 8, type, 4);
	put(at, 12, pid, 4);
	put(at, 24, DEVICE, 8);
	put(at, 40, inode, 8);
	w.locks_size += pack(at, 64, "");
}

static int begin(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	host_open(&w.host);
	put(w.tcp, 0, 64, 8);
	tcp_entry(0, LISTENER, 1);
	tcp_entry(1, CLIENT, 4);
	tcp_entry(2, SERVER, 4);
	put(w.local, 0, 64, 8);
	put(w.udp, 0, 32, 8);
	put(w.udp, 32, 400, 8);
	put(w.udp, 32 + 16, DATAGRAMS - SOCKET, 8);
	put(w.udp, 32 + 24, DATAGRAMS, 8);
	unix_entry(0, UNIX_CLIENT);
	unix_entry(1, UNIX_SERVER);
	return 0;
}

static void answer_list(const int *name, unsigned names, const void *data, size_t size)
{
	struct answer *a = &w.host.answers[w.host.count++];

	*a = (struct answer){ .names = names, .data = data, .size = size };
	memcpy(a->name, name, names * sizeof(*name));
}

/* The report of `sooth why` on that process. */
static char *why(int pid)
{
	char *shown;

	for (size_t i = 0; i < w.count; i++) {
		int of;

		w.all[i] = w.processes[i].kinfo;
		memcpy(&of, w.all[i].bytes + 72, 4);
		answer(&w.host, 1, of, &w.processes[i].kinfo, KINFO_PROC_SIZE);
		answer(&w.host, 1 | 0x10, of, &w.processes[i].kinfo, KINFO_PROC_SIZE);
		answer(&w.host, 33, of, w.processes[i].files, w.processes[i].size);
	}
	answer_list((int[]){ 1, 14, 8 }, 3, w.all, w.count * KINFO_PROC_SIZE);
	answer_list((int[]){ 4, 2, 6, 11 }, 4, w.tcp, sizeof(w.tcp));
	answer_list((int[]){ 4, 1, 1, 1 }, 4, w.local, sizeof(w.local));
	answer_list((int[]){ 4, 2, 17, 5 }, 4, w.udp, sizeof(w.udp));
	answer_list((int[]){ 1, 39 }, 2, w.locks, w.locks_size);
	shown = bsd_test_report(&w.host.os, "waits", "waits", NULL, &pid, 1);
	return shown;
}

static void expect(int pid, const char *text)
{
	char *shown = why(pid);

	if (!has(shown, text))
		fail_msg("no \"%s\" in: %s", text, shown);
	free(shown);
}

static void test_pipe(void **state)
{
	struct process *p;

	(void)state;
	sleeps(200, 1, "sh", "wait", 0x10, 30);
	p = sleeps(201, 200, "cat", "piperd", PIPE, 30);
	pipe_end(p, 3, PIPE + 0x1000, PIPE + 0x1160); /* another one, that it does not wait at */
	pipe_end(p, 0, PIPE, PIPE_WRITER);
	p = sleeps(202, 1, "python3", "nanslp", 0x20, 30);
	pipe_end(p, 1, PIPE_WRITER, PIPE);
	expect(200, "sh (200) waits for its child cat (201), 30 s; 201 waits for data from "
		    "python3 (202) through a pipe, 30 s; 202 sleeps");
}

static void fifo_end(struct process *p, int fd, uint32_t flags)
{
	unsigned char *at = file(p, 4, fd, flags);

	put(at, 32, 7, 4);
	put(at, 280, 1, 8);
	put(at, 288, DEVICE, 8);
	put(at, 304, 55, 8);
	put(at, 336, 1, 2);
	p->size += pack(at, 368, "/tmp/f");
}

static void test_fifo(void **state)
{
	struct process *p;

	(void)state;
	p = sleeps(201, 1, "cat", "piperd", 0x7777, 5);
	vnode(p, 5, 55, "/tmp/not");
	fifo_end(p, 3, 1);
	p = sleeps(202, 1, "other", "piperd", 0x7777, 5);
	fifo_end(p, 3, 1);
	p = sleeps(203, 1, "writer", "nanslp", 0x20, 5);
	fifo_end(p, 4, 2);
	expect(201,
		"cat (201) waits for data from writer (203) through FIFO /tmp/f, 5 s; 203 sleeps");
}

/* The writer sleeps on the end that is to be read. */
static void test_full_pipe(void **state)
{
	struct process *p;

	(void)state;
	p = sleeps(201, 1, "yes", "pipewr", PIPE, 5);
	pipe_end(p, 2, PIPE_WRITER, PIPE);
	p = sleeps(202, 1, "less", "ttyin", 0x20, 5);
	vnode(p, 5, 12, "/dev/null");
	pipe_end(p, 0, PIPE, PIPE_WRITER);
	expect(201, "yes (201) is blocked writing to a pipe (its standard error): less (202) does "
		    "not read, 5 s");
}

static void test_sockets(void **state)
{
	struct process *p;

	(void)state;
	p = sleeps(201, 1, "curl", "sbwait", CLIENT - SOCKET + 0xb8, 12);
	internet_socket(p, 4, CLIENT, "\x10\x02\xc0\x00\x7f\x00\x00\x01",
		"\x10\x02\x12\x67\x7f\x00\x00\x01");
	local_socket(p, 5, UNIX_CLIENT, UNIX_SERVER);
	p = sleeps(202, 1, "serve", "accept", LISTENER - SOCKET + 0x80, 12);
	internet_socket(p, 3, LISTENER, "\x10\x02\x12\x67\x00\x00\x00\x00",
		"\x10\x02\x00\x00\x00\x00\x00\x00");
	internet_socket(p, 6, SERVER, "\x10\x02\x12\x67\x7f\x00\x00\x01",
		"\x10\x02\xc0\x00\x7f\x00\x00\x01");
	expect(201, "curl (201) waits for serve (202) on 127.0.0.1:4711, 12 s; 202 waits for "
		    "connections on 0.0.0.0:4711, idle 12 s");
}

static void test_datagrams(void **state)
{
	struct process *p;
	unsigned char *at;

	(void)state;
	p = sleeps(201, 1, "dig", "sbwait", DATAGRAMS - SOCKET + 0xb8, 12);
	internet_socket(p, 4, CLIENT, "\x10\x02\xc0\x00\x7f\x00\x00\x01",
		"\x10\x02\x12\x67\x7f\x00\x00\x01");
	at = p->files + p->size;
	internet_socket(p, 5, DATAGRAMS, "\x10\x02\xc0\x01\x0a\x00\x00\x02",
		"\x10\x02\x00\x35\x0a\x00\x00\x01");
	put(at, 40, 2, 4);
	put(at, 44, 17, 4);
	expect(201, "dig (201) waits for an answer of the name server 10.0.0.1:53, 12 s");
}

static void test_local_sockets(void **state)
{
	struct process *p;

	(void)state;
	p = sleeps(201, 1, "psql", "sbwait", UNIX_CLIENT - SOCKET + 0xb8, 12);
	local_socket(p, 5, UNIX_CLIENT, UNIX_SERVER);
	p = sleeps(202, 1, "postgres", "biord", 0x40, 1);
	local_socket(p, 7, UNIX_SERVER, UNIX_CLIENT);
	expect(201, "psql (201) waits for postgres (202), 12 s; 202 waits for the disk or file "
		    "system, in biord, 1 s");
}

static void test_locks(void **state)
{
	struct process *p;

	(void)state;
	p = sleeps(201, 1, "git", "lockf", 0x50, 8);
	vnode(p, 1, 99, "/tmp/log");
	vnode(p, 3, 77, "/tmp/x.lock");
	p = sleeps(202, 1, "holder", "select", 0x60, 8);
	vnode(p, 4, 77, "/tmp/x.lock");
	lock_entry(2, 203, 76);
	lock_entry(3, 202, 77); /* of another host */
	lock_entry(2, 202, 77);
	expect(201, "git (201) waits for a lock on /tmp/x.lock held by holder (202), 8 s; 202 "
		    "waits for events, idle 8 s");
}

/* The system does not say which process has a lock of flock(2): of those that have the file open.
 */
static void test_flock(void **state)
{
	struct process *p;

	(void)state;
	p = sleeps(201, 1, "git", "lockf", 0x50, 8);
	vnode(p, 3, 77, "/tmp/x.lock");
	p = sleeps(202, 1, "holder", "umtxn", 0x60, 8);
	vnode(p, 4, 77, "/tmp/x.lock");
	lock_entry(1, UINT32_MAX, 77);
	expect(201, "git (201) waits for a lock on /tmp/x.lock held by holder (202), 8 s; 202 "
		    "waits for a lock, semaphore or condition inside the process");
}

static void test_ended_and_stopped(void **state)
{
	struct process *p;

	(void)state;
	sleeps(200, 1, "sh", "kqread", 0x10, 3);
	p = sleeps(201, 200, "gone", "", 0, 0);
	put(p->kinfo.bytes, 388, 5, 1);
	expect(201, "gone (201) has ended; its parent sh (200) has not reaped it");
	begin(state);
	sleeps(200, 1, "lldb", "wait", 0x10, 3);
	p = sleeps(201, 200, "traced", "", 0, 0);
	put(p->kinfo.bytes, 388, 4, 1);
	put(p->kinfo.bytes, 368, 0x40000, 8);
	put(p->kinfo.bytes, 576, 200, 4);
	expect(201, "traced (201) is stopped by lldb (200), which traces it");
}

/* A message that is not known is shown, and nothing is made of it. */
static void test_unknown(void **state)
{
	(void)state;
	sleeps(200, 1, "odd", "zzwait", 0x10, 3);
	sleeps(201, 200, "child", "nanslp", 0x10, 3);
	expect(200, "odd (200) is waiting, not known for what, in zzwait, 3 s");
}

static void test_hostile(void **state)
{
	unsigned char bytes[2048] = { 0 };
	struct bsd_file_lock lock;
	struct bsd_socket_at at;
	struct cursor c;

	(void)state;
	put(bytes, 0, 63, 4);
	c = cursor_over(bytes, sizeof(bytes));
	assert_false(kinfo_lockf_next(&lock, &c));
	assert_true(c.failed);
	put(bytes, 0, 4096, 4);
	c = cursor_over(bytes, sizeof(bytes));
	assert_false(kinfo_lockf_next(&lock, &c));
	assert_true(c.failed);
	put(bytes, 0, 7, 8);
	c = cursor_over(bytes, sizeof(bytes));
	assert_false(socket_list_next(&at, &c, SOCKET_LIST_LOCAL));
	assert_true(c.failed);
	put(bytes, 0, (uint64_t)1 << 62, 8);
	c = cursor_over(bytes, sizeof(bytes));
	assert_false(socket_list_next(&at, &c, SOCKET_LIST_LOCAL));
	assert_true(c.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pipe, begin),
		cmocka_unit_test_setup(test_fifo, begin),
		cmocka_unit_test_setup(test_full_pipe, begin),
		cmocka_unit_test_setup(test_sockets, begin),
		cmocka_unit_test_setup(test_datagrams, begin),
		cmocka_unit_test_setup(test_local_sockets, begin),
		cmocka_unit_test_setup(test_locks, begin),
		cmocka_unit_test_setup(test_flock, begin),
		cmocka_unit_test_setup(test_ended_and_stopped, begin),
		cmocka_unit_test_setup(test_unknown, begin),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
