/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors by procfs and by the kernel's iterator: both backends read the same
 * process at rest, and every field of every record is the same. The process is the
 * workload "fds", which has one of each kind. Without root it is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "model/batch.h"
#include "os/linux/files/procfs.h"
#include "os/os.h"
#include "probes/fds.h"
#include "probes/fd_names.h"

#define READY_MS 20000

extern const struct backend backend_fds_procfs, backend_fds_bpf;

struct target {
	pid_t pid;
	int in, out;
	struct process_id id;
};

static void start(struct target *t, const char *more, const char *value)
{
	const char *program = getenv("WORKLOADS");
	int in[2], out[2];
	char said[16] = { 0 };
	struct pollfd ready;

	assert_non_null(program);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	t->pid = fork();
	assert_true(t->pid >= 0);
	if (!t->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(program, program, "fds", "--hold", more, value, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	t->in = in[1];
	t->out = out[0];
	ready = (struct pollfd){ .fd = t->out, .events = POLLIN };
	assert_int_equal(poll(&ready, 1, READY_MS), 1);
	assert_true(read(t->out, said, sizeof(said) - 1) > 0);
	assert_string_equal(said, "ready\n");
	assert_int_equal(procfs_identify(t->pid, &t->id), 0);
}

static void end(struct target *t)
{
	close(t->in);
	waitpid(t->pid, NULL, 0);
	close(t->out);
}

/* One sample of the process, as the hub would have it. */
static void take(const struct backend *backend, const struct target *t, unsigned interest,
	struct buffer *out)
{
	struct log log = { 0 };
	struct backend_run run = {
		.backend = backend, .os = &os_native, .log = &log, .options.interest = interest
	};
	struct sooth_error err = { 0 };

	if (backend_test_needs(backend, &os_native, &err)) {
		print_message("%s\n", err.tried);
		skip();
	}
	run.state = calloc(1, backend->state_size);
	assert_non_null(run.state);
	if (backend->open(&run, &err))
		fail_msg("%s: %s: %s", backend->name, err.tried, err.why);
	assert_int_equal(backend->set(&run, &t->id, interest, &err), 0);
	assert_int_equal(backend->start(&run, &err), 0);
	assert_int_equal(backend->stop(&run, &err), 0);
	*out = run.out;
	backend->close(&run);
	free(run.state);
}

/* Records of a kind, one by one. */
static const struct sooth_record *next_of(
	const struct buffer *all, const struct sooth_record *r, uint16_t kind)
{
	struct batch b = { all->data, all->size };

	r = r ? batch_next(&b, r) : batch_first(&b);
	while (r && r->kind != kind)
		r = batch_next(&b, r);
	return r;
}

/* Every byte but the time, which is when it was seen. A timer's remaining time may tick over. */
static void assert_same(const struct sooth_record *a, const struct sooth_record *b)
{
	const struct fds_descriptor *x = (const void *)a, *y = (const void *)b;
	size_t from = offsetof(struct sooth_record, start_ticks);

	if (!a || !b)
		fail_msg("one has records that the other has not");
	if (record_bytes(a) == record_bytes(b) &&
		!memcmp((const char *)a + from, (const char *)b + from, record_bytes(a) - from))
		return;
	if (a->kind != FDS_DESCRIPTOR)
		fail_msg("records of kind %x differ", a->kind);
	fail_msg("fd %u and %u: type %s %s, inode %" PRIu64 " %" PRIu64 ", device %u:%u %u:%u, "
		 "flags %x %x, mount %u %u, size %" PRIu64 " %" PRIu64 ", offset %" PRIu64
		 " %" PRIu64 ", path %.*s %.*s, detail %.*s %.*s",
		x->fd, y->fd, fd_type_names.names[x->type], fd_type_names.names[y->type], x->inode,
		y->inode, x->device_major, x->device_minor, y->device_major, y->device_minor,
		x->flags, y->flags, x->mount, y->mount, x->size_bytes, y->size_bytes, x->offset,
		y->offset, (int)x->path.size, (const char *)x + x->path.offset, (int)y->path.size,
		(const char *)y + y->path.offset, (int)x->detail.size,
		(const char *)x + x->detail.offset, (int)y->detail.size,
		(const char *)y + y->detail.offset);
}

static unsigned compare(const struct buffer *a, const struct buffer *b, uint16_t kind)
{
	const struct sooth_record *x = next_of(a, NULL, kind), *y = next_of(b, NULL, kind);
	unsigned count = 0;

	for (; x || y; count++) {
		assert_same(x, y);
		x = next_of(a, x, kind);
		y = next_of(b, y, kind);
	}
	return count;
}

static void test_every_kind(void **state)
{
	struct buffer by_procfs = { 0 }, by_bpf = { 0 };
	const struct fds_descriptor *d = NULL;
	uint32_t types = 0;
	struct target t;

	(void)state;
	start(&t, "--watches", "5");
	take(&backend_fds_bpf, &t, INTEREST_SAMPLE, &by_bpf);
	take(&backend_fds_procfs, &t, INTEREST_SAMPLE, &by_procfs);
	assert_true(compare(&by_procfs, &by_bpf, FDS_DESCRIPTOR) > 35);
	assert_int_equal(compare(&by_procfs, &by_bpf, FDS_WATCH), 6);
	assert_int_equal(compare(&by_procfs, &by_bpf, FDS_MEMBER), 1);
	assert_int_equal(compare(&by_procfs, &by_bpf, FDS_HOLDER), 0);
	assert_int_equal(compare(&by_procfs, &by_bpf, FDS_PROCESS), 1);
	while ((d = (const void *)next_of(&by_bpf, (const void *)d, FDS_DESCRIPTOR)))
		types |= 1u << d->type;
	assert_true(__builtin_popcount(types) > 18);
	buffer_fini(&by_procfs);
	buffer_fini(&by_bpf);
	end(&t);
}

static int by_holder(const void *a, const void *b)
{
	return memcmp((const char *)a + sizeof(struct sooth_record),
		(const char *)b + sizeof(struct sooth_record),
		sizeof(struct fds_holder) - sizeof(struct sooth_record));
}

static size_t holders(const struct buffer *from, struct fds_holder *out, size_t max)
{
	const struct sooth_record *r = NULL;
	size_t count = 0;

	while (count < max && (r = next_of(from, r, FDS_HOLDER)))
		out[count++] = *(const struct fds_holder *)(const void *)r;
	qsort(out, count, sizeof(*out), by_holder);
	return count;
}

/* With detail: paths of watches, and the holders, in whatever order they are found. */
static void test_detail(void **state)
{
	struct buffer by_procfs = { 0 }, by_bpf = { 0 };
	struct fds_holder x[256] = { 0 }, y[256] = { 0 };
	struct target t;
	size_t count;

	(void)state;
	start(&t, "--watches", "40");
	take(&backend_fds_bpf, &t, INTEREST_SAMPLE | INTEREST_DETAIL, &by_bpf);
	take(&backend_fds_procfs, &t, INTEREST_SAMPLE | INTEREST_DETAIL, &by_procfs);
	assert_true(compare(&by_procfs, &by_bpf, FDS_WATCH) > 0);
	assert_int_equal(compare(&by_procfs, &by_bpf, FDS_PROCESS), 1);
	count = holders(&by_procfs, x, ARRAY_SIZE(x));
	assert_true(count > 6);
	assert_int_equal(holders(&by_bpf, y, ARRAY_SIZE(y)), count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(by_holder(&x[i], &y[i]), 0);
	buffer_fini(&by_procfs);
	buffer_fini(&by_bpf);
	end(&t);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Very many: the same again, and the walk takes a fraction of the time. */
static void test_many(void **state)
{
	struct buffer by_procfs = { 0 }, by_bpf = { 0 };
	double begin, middle;
	struct target t;

	(void)state;
	start(&t, "--many", "15000");
	begin = seconds();
	take(&backend_fds_procfs, &t, INTEREST_SAMPLE, &by_procfs);
	middle = seconds();
	take(&backend_fds_bpf, &t, INTEREST_SAMPLE, &by_bpf);
	print_message("procfs %.3f s, bpf %.3f s\n", middle - begin, seconds() - middle);
	assert_true(compare(&by_procfs, &by_bpf, FDS_DESCRIPTOR) > 15000);
	buffer_fini(&by_procfs);
	buffer_fini(&by_bpf);
	end(&t);
}

static void test_ended(void **state)
{
	const struct backend *const both[] = { &backend_fds_procfs, &backend_fds_bpf };
	struct target t;

	(void)state;
	start(&t, "--watches", "0");
	end(&t);
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		struct buffer out = { 0 };
		const struct fds_process *p;

		take(both[i], &t, INTEREST_SAMPLE | INTEREST_DETAIL, &out);
		p = (const void *)next_of(&out, NULL, FDS_PROCESS);
		assert_non_null(p);
		assert_int_equal(p->descriptors_state, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		assert_null(next_of(&out, NULL, FDS_DESCRIPTOR));
		buffer_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_detail),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_ended),
	};

	signal(SIGPIPE, SIG_IGN);
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
