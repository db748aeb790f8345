/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of ktrace(2): one of each type with either header, put together byte by byte from the
 * structs in FreeBSD's sys/ktrace.h (13.4, and 14 for the header that says its version) and what
 * kdump(1) documents of malloc's records; and a file of them through the backends of syscalls and
 * heap.
 */
#include "bsd_host.h"
#include "ktrace_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "analyze/records.h"
#include "os/bsd/errno_numbers.h"
#include "os/freebsd/decode/ktrace.h"
#include "os/freebsd/freebsd_source.h"

/* --- each type --- */

static void check_types(bool is_new)
{
	struct trace start = { .is_new = is_new, .pid = 4711, .tid = 100200, .at_us = 250 }, t;
	const uint64_t arguments[] = { 3, 0x7fffffffe000, 512 };
	struct ktrace_record r;
	struct ktrace_call call;
	struct ktrace_return ret;
	struct ktrace_io io;
	struct ktrace_signal signal;
	struct ktrace_switch sw;
	struct ktrace_struct st;
	struct ktrace_refusal refusal;
	struct ktrace_fault fault;
	struct cursor c;
	uint32_t flags;
	int32_t result;

	t = start;
	add_call(&t, 3, 3, arguments);
	r = only(&t, &c);
	assert_int_equal(r.type, KTRACE_SYSCALL);
	assert_int_equal(r.version, is_new);
	assert_int_equal(r.pid, 4711);
	assert_int_equal(r.tid, 100200);
	assert_int_equal(r.utc_ns, 1700005000000250000);
	assert_int_equal(r.cpu, is_new ? 3 : KTRACE_CPU_NONE);
	assert_string_equal(r.name, "tar");
	assert_false(r.is_after_drop);
	assert_true(ktrace_call(&call, &r));
	assert_int_equal(call.number, 3);
	assert_int_equal(call.argument_count, 3);
	assert_int_equal(call.arguments[1], 0x7fffffffe000);
	t = start;
	add_return(&t, 3, 35, 0);
	r = only(&t, &c);
	assert_true(ktrace_return(&ret, &r));
	assert_int_equal(ret.error, 35);
	assert_int_equal(errno_from_freebsd(35), 11); /* EAGAIN */
	assert_int_equal(errno_from_freebsd(2), 2);
	assert_int_equal(errno_from_freebsd(93), 93 + BSD_ERRNO_OWN); /* ENOTCAPABLE */
	/* The table names each by the system's own constant: Linux's is in errno.h here. */
#define ERROR(name, freebsd, darwin, linux_)                                                       \
	assert_int_equal(linux_, name);                                                            \
	assert_int_equal(errno_from_freebsd(freebsd), linux_);                                     \
	assert_int_equal(errno_from_darwin(darwin), linux_);
#include "os/bsd/errno.def"
	t = start;
	add_text(&t, 3, "/etc/passwd", 11);
	r = only(&t, &c);
	assert_int_equal(r.type, KTRACE_NAMEI);
	assert_true(span_equal(r.payload, "/etc/passwd"));
	t = start;
	head(&t, 4, 13);
	put(&t, 7, 4);
	put(&t, 1, 4);
	put_bytes(&t, "hello", 5);
	r = only(&t, &c);
	assert_true(ktrace_io(&io, &r));
	assert_int_equal(io.fd, 7);
	assert_true(io.is_write && span_equal(io.data, "hello"));
	t = start;
	head(&t, 5, 40);
	put(&t, 15, 8);
	put(&t, 0x201000, 8);
	put(&t, 65537, 4);
	put(&t, 1 << 14, 16);
	put(&t, 0, 4);
	r = only(&t, &c);
	assert_true(ktrace_signal(&signal, &r));
	assert_int_equal(signal.number, 15);
	assert_int_equal(signal.action, 0x201000);
	assert_int_equal(signal.code, 65537);
	assert_int_equal(signal.mask, 1 << 14);
	t = start;
	head(&t, 6, 16);
	put(&t, 1, 4);
	put(&t, 0, 4);
	put_bytes(&t, "kqread\0", 8);
	r = only(&t, &c);
	assert_true(ktrace_switch(&sw, &r));
	assert_true(sw.is_out && !sw.is_user);
	assert_string_equal(sw.wait_channel, "kqread");
	t = start;
	add_text(&t, 8, "sockaddr\0\x10\x02\x00\x50\x7f\x00\x00\x01", 17);
	r = only(&t, &c);
	assert_true(ktrace_struct(&st, &r));
	assert_true(span_equal(st.name, "sockaddr"));
	assert_int_equal(st.data.size, 8);
	t = start;
	add_text(&t, 9, "kern.proc.pathname", 19);
	r = only(&t, &c);
	assert_int_equal(r.type, KTRACE_SYSCTL);
	t = start;
	head(&t, 10, 4);
	put(&t, 0x22, 4);
	r = only(&t, &c);
	assert_true(ktrace_program(&flags, &r));
	assert_int_equal(flags, 0x22);
	t = start;
	head(&t, 11, 0);
	r = only(&t, &c);
	assert_int_equal(r.type, KTRACE_PROCDTOR);
	t = start;
	head(&t, 12, 40);
	put(&t, 2, 8);
	for (int i = 0; i < 4; i++)
		put(&t, 0, 8);
	r = only(&t, &c);
	assert_true(ktrace_refusal(&refusal, &r));
	assert_int_equal(refusal.kind, 2);
	t = start;
	head(&t, 13, 16);
	put(&t, 0x800200000, 8);
	put(&t, 2, 8);
	r = only(&t, &c);
	assert_true(ktrace_fault(&fault, &r));
	assert_int_equal(fault.address, 0x800200000);
	assert_int_equal(fault.type, 2);
	t = start;
	head(&t, 14, 4);
	put(&t, 0, 4);
	r = only(&t, &c);
	assert_true(ktrace_fault_end(&result, &r));
	assert_int_equal(result, 0);
	t = start;
	head(&t, 15, 8 + 7 + 64);
	put(&t, 32, 8);
	put_bytes(&t, "kevent", 7);
	for (int i = 0; i < 8; i++)
		put(&t, 0, 8);
	r = only(&t, &c);
	assert_true(ktrace_struct(&st, &r));
	assert_int_equal(st.each, 32);
	assert_int_equal(st.data.size, 64);
	/* The bit for records that were dropped before is no part of the type. */
	t = start;
	head(&t, 0x8000 | 2, 0);
	r = only(&t, &c);
	assert_true(r.is_after_drop);
	assert_int_equal(r.type, KTRACE_SYSRET);
	assert_false(ktrace_return(&ret, &r));
}

static void test_types(void **state)
{
	(void)state;
	check_types(false);
	check_types(true);
}

static void test_utrace(void **state)
{
	struct trace t = { .pid = 1, .tid = 2 };
	struct utrace_malloc m;
	struct ktrace_record r;
	struct cursor c;

	(void)state;
	add_malloc(&t, UINT64_MAX, 0, 0);
	add_malloc(&t, 0, 100, 0x1000);
	add_malloc(&t, 0x1000, 200, 0x2000);
	add_malloc(&t, 0x2000, 0, 0);
	add_text(&t, 7, "RTLD of another kind", 20);
	c = cursor_over(t.bytes, t.size);
	for (int kind = UTRACE_INIT; kind <= UTRACE_FREE; kind++) {
		assert_true(ktrace_next(&r, &c));
		assert_true(utrace_malloc(&m, r.payload));
		assert_int_equal(m.kind, kind);
	}
	assert_true(ktrace_next(&r, &c));
	assert_false(utrace_malloc(&m, r.payload));
}

/* Each length that a record can be cut to: it is not there yet, and nothing behind it is read. */
static void test_cut(void **state)
{
	const uint64_t arguments[] = { 1, 2 };

	(void)state;
	for (int is_new = 0; is_new < 2; is_new++) {
		struct trace t = { .is_new = is_new };
		struct ktrace_record r;

		add_call(&t, 5, 2, arguments);
		for (size_t size = 0; size < t.size; size++) {
			unsigned char *copy = malloc(size ? size : 1);
			struct cursor c = cursor_over(copy, size);

			memcpy(copy, t.bytes, size);
			assert_false(ktrace_next(&r, &c));
			free(copy);
		}
	}
}

/* --- through the backends --- */

extern const struct backend backend_syscalls_ktrace, backend_heap_utrace, backend_sched_ktrace;

struct host {
	struct trace *trace;
	struct freebsd_calls system;
	struct bsd_source source;
	struct os os;
	const struct backend *backends[4];
	unsigned sets, clears;
	bool is_traced;
};

static int host_process(const struct bsd_source *s, pid_t pid, struct bsd_process *out)
{
	const struct host *h = ((const struct freebsd_calls *)s->calls)->user;

	/* 60 and what it has forked, 61: traced from when 60 is. */
	if (pid == 60 || pid == 61) {
		*out = (struct bsd_process){ .id = { .pid = (uint32_t)pid, .start_ticks = 88 },
			.ppid = pid == 61 ? 60 : 1,
			.state = 'S',
			.is_traced = h->sets > 0 };
		return 0;
	}
	if (pid != 50)
		return -ESRCH;
	*out = (struct bsd_process){ .id = { .pid = 50, .start_ticks = 77 },
		.state = 'S',
		.name = "tar",
		.is_traced = h->is_traced };
	return 0;
}

static int host_ktrace(
	const struct freebsd_calls *c, const char *path, int operation, int points, pid_t pid)
{
	struct host *h = c->user;
	int fd;

	(void)points;
	(void)pid;
	if (operation & 3) {
		h->clears++;
		return 0;
	}
	h->sets++;
	fd = open(path, O_WRONLY | O_APPEND);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, h->trace->bytes, h->trace->size), h->trace->size);
	close(fd);
	return 0;
}

static int host_guard(const struct freebsd_calls *c, const char *path)
{
	(void)c;
	(void)path;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static uint64_t now_ns(const struct os *os)
{
	(void)os;
	return (uint64_t)5001 * 1000000000;
}

static void host_open(struct host *h, struct trace *t)
{
	*h = (struct host){ .trace = t,
		.backends = { &backend_syscalls_ktrace, &backend_heap_utrace, &backend_sched_ktrace,
			NULL } };
	h->system = (struct freebsd_calls){ .ktrace = host_ktrace, .guard = host_guard, .user = h };
	h->source = (struct bsd_source)FREEBSD_SOURCE(&h->system);
	h->source.process = host_process;
	h->source.host = NULL;
	h->os = bsd_test_os("freebsd", h->backends, &h->source);
	h->os.now_ns = now_ns;
}

static void no_host(const struct os *os, struct host_facts *facts)
{
	(void)os;
	*facts = (struct host_facts){ .ticks_per_s = 100 };
}

static void no_arguments(const struct os *os, const struct process_id *p, struct buffer *out)
{
	(void)os;
	(void)p;
	(void)out;
}

/* A process that opens a file, forks a child that fails to open another, and ends. */
static void test_backend(void **state)
{
	const uint64_t path[] = { 0x800001000, 0, 0 }, status[] = { 0 };
	struct trace t = { .pid = 50, .tid = 100050 };
	const int pids[] = { 50 };
	struct host h;
	char *shown;

	(void)state;
	t.at_us = 1000;
	add_call(&t, 5, 3, path);
	add_text(&t, 3, "/etc/hosts", 10);
	t.at_us = 1250;
	add_return(&t, 5, 0, 3);
	add_call(&t, 2, 0, NULL);
	t.at_us = 2250;
	add_return(&t, 2, 0, 51);
	t.pid = 51;
	t.tid = 100051;
	add_call(&t, 5, 3, path);
	add_text(&t, 3, "/nowhere", 8);
	t.at_us = 2300;
	add_return(&t, 5, 2, 0);
	add_call(&t, 1, 1, status);
	head(&t, 11, 0);
	host_open(&h, &t);
	h.os.host = no_host;
	h.os.command_line = no_arguments;
	shown = bsd_test_calls(&h.os, "syscalls", "syscall-table", SOOTH_COUNT, pids, 1);
	assert_true(has(shown, "\"name\": \"open\""));
	assert_true(has(shown, "\"count\": 2"));
	assert_true(has(shown, "\"name\": \"fork\""));
	assert_true(has(shown, "ENOENT"));
	free(shown);
	shown = bsd_test_calls(&h.os, "syscalls", "syscall-stream", SOOTH_STREAM, pids, 1);
	assert_true(has(shown, "/etc/hosts"));
	assert_true(has(shown, "/nowhere"));
	assert_true(has(shown, "ENOENT"));
	free(shown);
	assert_int_equal(h.sets, 2);
	assert_true(h.clears >= 2);
}

static char *show_stream(struct trace *t, const char *view, unsigned interest)
{
	const int pids[] = { 50 };
	struct host h;

	host_open(&h, t);
	h.os.host = no_host;
	h.os.command_line = no_arguments;
	return bsd_test_calls(&h.os, "syscalls", view, interest, pids, 1);
}

static void add_fork(struct trace *t, uint32_t child)
{
	t->pid = 50;
	t->tid = 100050;
	add_call(t, 2, 0, NULL);
	add_return(t, 2, 0, child);
	t->pid = child;
	t->tid = 100000 + child;
}

static char ends[256];

static int take_end(void *user, const struct sooth_schema *schema, const struct sooth_record *r)
{
	const struct process_leave *l = record_as(r, PROCESS_LEAVE, sizeof(*l));
	size_t used = strlen(ends);

	(void)user;
	(void)schema;
	if (l && l->status_state)
		snprintf(ends + used, sizeof(ends) - used, "%u: unknown\n", r->pid);
	else if (l)
		snprintf(ends + used, sizeof(ends) - used, "%u: 0x%x\n", r->pid, l->status);
	return 0;
}

/* By exit(2), by a signal without a handler; and one whose end was not seen to come. */
static void test_ends(void **state)
{
	const uint64_t status[] = { 3 };
	struct trace t = { .at_us = 10 };
	char *shown;

	(void)state;
	add_fork(&t, 51);
	add_call(&t, 1, 1, status);
	head(&t, 11, 0);
	add_fork(&t, 52);
	head(&t, 5, 36);
	put(&t, 9, 4);
	put(&t, 0, 4);
	put(&t, 0, 8);
	put(&t, 0, 4);
	put(&t, 0, 8);
	put(&t, 0, 8);
	head(&t, 11, 0);
	add_fork(&t, 53);
	add_call(&t, 5, 1, status);
	head(&t, 11, 0);
	ends[0] = '\0';
	bsd_test_take = take_end;
	shown = show_stream(&t, "syscall-stream", SOOTH_STREAM);
	bsd_test_take = NULL;
	assert_string_equal(ends, "51: 0x300\n52: 0x9\n53: unknown\n");
	free(shown);
}

/* The number of a thread that ended in exit(2) is given to a child, which returns from its parent's
 * fork. */
static void test_number_again(void **state)
{
	const uint64_t status[] = { 0 };
	struct trace t = { .at_us = 10 };
	char *shown;

	(void)state;
	add_fork(&t, 51);
	add_call(&t, 1, 1, status);
	head(&t, 11, 0);
	add_fork(&t, 52);
	t.tid = 100051;
	add_return(&t, 2, 0, 0);
	add_call(&t, 20, 0, NULL);
	add_return(&t, 20, 0, 52);
	shown = show_stream(&t, "syscall-table", SOOTH_COUNT);
	assert_true(has(shown, "\"name\": \"getpid\""));
	assert_true(has(shown, "\"name\": \"exit\""));
	assert_true(has(shown, "\"name\": \"fork\",\n      \"count\": 2"));
	free(shown);
}

static void test_heap(void **state)
{
	struct trace t = { .pid = 50, .tid = 100050, .at_us = 10 };
	const int pids[] = { 50 };
	struct host h;
	char *shown;

	(void)state;
	add_malloc(&t, UINT64_MAX, 0, 0);
	add_malloc(&t, 0, 1000, 0x10000);
	add_malloc(&t, 0, 24, 0x20000);
	add_malloc(&t, 0x20000, 48, 0x30000);
	add_malloc(&t, 0x10000, 0, 0);
	host_open(&h, &t);
	h.os.host = no_host;
	h.os.command_line = no_arguments;
	shown = bsd_test_calls(&h.os, "heap", "heap-table", SOOTH_COUNT | SOOTH_STREAM, pids, 1);
	assert_true(has(shown, "realloc"));
	assert_true(has(shown, "1024"));
	assert_true(has(shown, "48"));
	free(shown);
}

static void add_switch(struct trace *t, uint64_t at_ms, bool is_out, bool is_user)
{
	t->at_us = at_ms * 1000;
	head(t, 6, 16);
	put(t, is_out, 4);
	put(t, is_user, 4);
	put_bytes(t, "piperd\0", 8);
}

static int host_threads(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	const struct bsd_thread threads[] = {
		{ .tid = 100050, .state = 'S', .name = "first" },
		{ .tid = 100060, .state = 'S', .name = "rests" },
	};

	(void)s;
	(void)pid;
	buffer_append(out, threads, sizeof(threads));
	return 0;
}

static uint64_t sched_now = (uint64_t)5000 * 1000000000;

static uint64_t sched_now_ns(const struct os *os)
{
	(void)os;
	return sched_now;
}

static void a_second_passes(void)
{
	sched_now = (uint64_t)5001 * 1000000000;
}

/* A second: it sleeps 100 ms, runs 200, is preempted for 50, runs 50, sleeps on; a thread that was
 * there before sleeps all of it; one that is gone at the end. */
static void test_sched(void **state)
{
	struct trace t = { .pid = 50, .tid = 100050 };
	const int pids[] = { 50 };
	struct host h;
	char *shown;

	(void)state;
	add_switch(&t, 100, false, false);
	add_switch(&t, 300, true, true);
	add_switch(&t, 350, false, true);
	add_switch(&t, 400, true, false);
	t.tid = 100070;
	add_switch(&t, 900, false, false);
	host_open(&h, &t);
	h.os.host = no_host;
	h.os.command_line = no_arguments;
	h.os.now_ns = sched_now_ns;
	h.source.threads = host_threads;
	bsd_test_meanwhile = a_second_passes;
	shown = bsd_test_calls(&h.os, "sched", "sched-table", SOOTH_COUNT | SOOTH_STREAM, pids, 1);
	bsd_test_meanwhile = NULL;
	assert_true(has(shown, "\"running_ns\": 250000000"));
	assert_true(has(shown, "\"preempted_ns\": 50000000"));
	assert_true(has(shown, "\"sleeping_ns\": 700000000"));
	assert_true(has(shown, "\"sleeping_ns\": 1000000000"));
	assert_true(has(shown, "\"voluntary\": 1"));
	assert_true(has(shown, "\"involuntary\": 1"));
	assert_true(has(shown, "\"longest_ns\": 50000000"));
	/* The one that is gone ran no longer than its records say. */
	assert_true(has(shown, "\"wall_ns\": 2000000000"));
	assert_true(has(shown, "ktrace(2) has no record of these"));
	free(shown);
}

/* Another tracer would lose its records. */
static void test_traced(void **state)
{
	struct trace t = { .pid = 50 };
	struct sooth_observer *o;
	struct sooth_error err;
	struct host h;

	(void)state;
	host_open(&h, &t);
	h.os.host = no_host;
	h.os.command_line = no_arguments;
	h.is_traced = true;
	assert_int_equal(observer_new_on(&o, &h.os, NULL, &err), 0);
	assert_int_equal(sooth_observer_add_pid(o, 50, &err), 0);
	assert_int_equal(sooth_observer_add_probe(o, "syscalls", SOOTH_COUNT, &err), 0);
	assert_true(sooth_observer_start(o, &err) < 0);
	assert_true(has(err.why, "already traces this process"));
	assert_int_equal(h.sets, 0);
	sooth_observer_free(o);
}

/* A child of a followed process is traced by sooth itself. */
static void test_inherited(void **state)
{
	struct trace t = { .pid = 60, .tid = 100060 };
	const int pids[] = { 60, 61 };
	struct host h;

	(void)state;
	host_open(&h, &t);
	h.os.host = no_host;
	h.os.command_line = no_arguments;
	free(bsd_test_calls(&h.os, "syscalls", "syscall-table", SOOTH_COUNT, pids, 2));
	assert_int_equal(h.sets, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_utrace),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_backend),
		cmocka_unit_test(test_heap),
		cmocka_unit_test(test_sched),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_number_again),
		cmocka_unit_test(test_traced),
		cmocka_unit_test(test_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
