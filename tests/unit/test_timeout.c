/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that do not return are given up, and what they hold is let go when they do. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "os/linux/files/timeout.h"

struct work {
	int number;
	int pipe; /* -1: nothing to wait for */
	int dropped;
};

static void do_work(void *argument)
{
	struct work *w = argument;
	char byte;

	if (w->pipe >= 0 && read(w->pipe, &byte, 1) < 0)
		return;
	w->number *= 2;
}

static void drop_work(void *argument)
{
	struct work *w = argument;

	if (write(w->dropped, "", 1) < 0)
		abort();
}

static void test_in_time(void **state)
{
	struct timeout p = { 0 };
	struct work w = { .pipe = -1 };

	(void)state;
	for (w.number = 1; w.number < 1024;)
		assert_int_equal(timeout_call(&p, do_work, drop_work, &w, sizeof(w), -1, 5000), 0);
	assert_int_equal(w.number, 1024);
	assert_null(p.stuck);
	timeout_fini(&p);
}

static void test_stuck(void **state)
{
	struct timeout p = { 0 };
	int hang[2], dropped[2];
	struct work free_one = { .number = 3, .pipe = -1 }, w;
	int status;
	char byte;

	(void)state;
	assert_int_equal(pipe(hang), 0);
	assert_int_equal(pipe(dropped), 0);
	w = (struct work){ .number = 21, .pipe = hang[0], .dropped = dropped[1] };
	assert_int_equal(
		timeout_call(&p, do_work, drop_work, &w, sizeof(w), w.pipe, 20), -ETIMEDOUT);
	assert_int_equal(w.number, 21);
	/* Another thread does what comes next. */
	assert_int_equal(
		timeout_call(&p, do_work, drop_work, &free_one, sizeof(free_one), -1, 5000), 0);
	assert_int_equal(free_one.number, 6);
	for (int i = 1; i < 8; i++)
		assert_int_equal(
			timeout_call(&p, do_work, drop_work, &w, sizeof(w), w.pipe, 1), -ETIMEDOUT);
	assert_int_equal(timeout_call(&p, do_work, drop_work, &w, sizeof(w), w.pipe, 1), -EBUSY);
	/* They all return now, and let go of what they hold. */
	close(hang[1]);
	for (int i = 0; i < 8; i++)
		assert_int_equal(read(dropped[0], &byte, 1), 1);
	/* So calls are tried again; the last of them has yet to count itself. */
	do {
		status =
			timeout_call(&p, do_work, drop_work, &free_one, sizeof(free_one), -1, 5000);
	} while (status == -EBUSY);
	assert_int_equal(status, 0);
	timeout_fini(&p);
	close(hang[0]);
	close(dropped[0]);
	close(dropped[1]);
}

struct spin {
	atomic_bool *is_over;
	_Atomic uint64_t *cpu_ns;
};

/* Calls that never return by themselves leave nothing behind. */
static void test_killed(void **state)
{
	struct timeout p = { .may_kill = true };
	int hang[2], dropped[2];
	struct work w, free_one = { .number = 3, .pipe = -1 };
	char byte;

	(void)state;
	assert_int_equal(pipe(hang), 0);
	assert_int_equal(pipe(dropped), 0);
	w = (struct work){ .number = 21, .pipe = hang[0], .dropped = dropped[1] };
	for (int i = 0; i < 20; i++) {
		assert_int_equal(timeout_call(&p, do_work, drop_work, &w, sizeof(w), w.pipe, 20),
			-ETIMEDOUT);
		assert_int_equal(read(dropped[0], &byte, 1), 1);
	}
	assert_int_equal(
		timeout_call(&p, do_work, drop_work, &free_one, sizeof(free_one), -1, 5000), 0);
	timeout_fini(&p);
	close(hang[0]);
	close(hang[1]);
	close(dropped[0]);
	close(dropped[1]);
}

static void do_spin(void *argument)
{
	struct spin *s = argument;
	struct timespec t;

	while (!atomic_load(s->is_over)) {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
		atomic_store(s->cpu_ns, (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec);
	}
}

/* One that computes without an end does not lack a CPU, so it gets no more time. */
static void test_spin(void **state)
{
	static atomic_bool is_over;
	static _Atomic uint64_t cpu_ns;
	struct timeout p = { 0 };
	struct spin s = { &is_over, &cpu_ns };

	(void)state;
	assert_int_equal(timeout_call(&p, do_spin, NULL, &s, sizeof(s), -1, 10), -ETIMEDOUT);
	assert_true(atomic_load(&cpu_ns) < 2 * NS_PER_S);
	atomic_store(&is_over, true);
	timeout_fini(&p);
}

struct look {
	int looked_at, opened; /* descriptors */
	bool was_open;
	pid_t process;
};

static void do_look(void *argument)
{
	struct look *l = argument;

	l->process = getpid();
	l->was_open = fcntl(l->looked_at, F_GETFD) >= 0;
	l->opened = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static struct look look_at(struct timeout *p, int descriptor, int kept)
{
	struct look l = { .looked_at = descriptor, .opened = -1 };

	assert_int_equal(timeout_call(p, do_look, NULL, &l, sizeof(l), kept, 5000), 0);
	assert_true(l.opened >= 0 && l.process != getpid());
	return l;
}

/* Calls behind each other are made by one process; each has only its own descriptor. */
static void test_one_process(void **state)
{
	struct timeout p = { 0 };
	struct look l = { 0 };
	int other = open("/dev/null", O_RDONLY), own = open("/dev/null", O_RDONLY), changes = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		pid_t before = l.process;

		l = look_at(&p, other, -1);
		assert_false(l.was_open);
		changes += l.process != before;
	}
	assert_true(changes < 500);
	for (int i = 0; i < 100; i++) {
		l = look_at(&p, l.opened, -1);
		assert_false(l.was_open); /* it was opened by the call before */
		assert_true(look_at(&p, own, own).was_open);
		assert_false(look_at(&p, other, own).was_open);
		assert_false(look_at(&p, own, -1).was_open);
	}
	timeout_fini(&p);
	close(own);
	close(other);
}

static void test_read(void **state)
{
	struct timeout p = { 0 };
	struct buffer bytes = { 0 };
	int self = open("/proc/self", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(timeout_read_at(&p, self, "comm", &bytes, 100, 5000), 0);
	assert_string_equal(buffer_cstr(&bytes), "test_timeout\n");
	assert_int_equal(timeout_read_at(&p, self, "comm", &bytes, 4, 5000), 1); /* cut */
	assert_string_equal(buffer_cstr(&bytes), "test");
	assert_int_equal(timeout_read_at(&p, self, "nothing", &bytes, 100, 5000), -ENOENT);
	assert_int_equal(bytes.size, 0);
	buffer_fini(&bytes);
	timeout_fini(&p);
	close(self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_time),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_spin),
		cmocka_unit_test(test_one_process),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
