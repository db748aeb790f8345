/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User-space probes in the kernel that runs: what is counted is exact, and what cannot
 * be probed is refused. Targets are this program itself, forked or executed. Without
 * root all is skipped.
 */
#include <sys/resource.h>

#include "uprobes_support.h"

static void test_exact(void **state)
{
	struct uprobes *u = open_uprobes();
	struct counter entries = make_counter(true), returns = make_counter(false);
	struct prober_place places[PROBED_COUNT];
	struct target target;
	unsigned entry, ret;

	(void)state;
	probed_places(places);
	entry = define(u, places, PROBED_COUNT, false, &entries);
	ret = define(u, places, 2, true, &returns);
	assert_int_equal(definitions(getpid()), PROBED_COUNT + 2 + 2);
	start_executed(&target, "/proc/self/exe");
	assert_int_equal(uprobes_attach(u, entry, target.pid, NULL), 0);
	assert_int_equal(uprobes_attach(u, ret, target.pid, NULL), 0);
	assert_int_equal(uprobes_descriptors(u), 2 + 2 * (uprobes_needs_keeping(u) ? 2 : 1));
	assert_int_equal(finish(&target), 0);
	for (size_t i = 0; i < PROBED_COUNT; i++)
		assert_int_equal(counted(&entries, places[i].offset), WORKERS * TIMES);
	assert_int_equal(counted(&returns, 0), 2 * WORKERS * TIMES);
	close_uprobes(u);
	close(places[0].file);
	free_counter(&entries);
	free_counter(&returns);
}

/* All threads there are, by one event each; what they fork is in. Twice is once. */
static void test_running(void **state)
{
	struct uprobes *u = open_uprobes();
	struct counter entries = make_counter(true);
	struct prober_place places[PROBED_COUNT];
	struct target target;
	unsigned entry;

	(void)state;
	probed_places(places);
	entry = define(u, places, PROBED_COUNT, false, &entries);
	start_forked(&target, work_in_threads);
	await(&target.shared->ready, 4);
	assert_int_equal(attach_all(u, entry, target.pid), 4);
	assert_int_equal(attach_all(u, entry, target.pid), 4);
	assert_int_equal(finish(&target), 0);
	for (size_t i = 0; i < PROBED_COUNT; i++)
		assert_int_equal(counted(&entries, places[i].offset), THREAD_WORKERS * TIMES);
	close_uprobes(u);
	close(places[0].file);
	free_counter(&entries);
}

static void assert_released(struct uprobes *u, pid_t tid)
{
	bool is_held = uprobes_needs_keeping(u);

	assert_int_equal(uprobes_descriptors(u), is_held ? 1 + 2 + 1 : 1 + 1);
	uprobes_release(u, reaped_pid());
	assert_int_equal(uprobes_descriptors(u), is_held ? 1 + 2 + 1 : 1 + 1);
	uprobes_release(u, tid);
	assert_int_equal(uprobes_descriptors(u), is_held ? 1 + 2 : 1 + 1);
}

/* One that is kept, where there is need, loses nothing to its children's ends. */
static void test_kept(void **state)
{
	struct counter entries = make_counter(true);
	struct prober_place places[PROBED_COUNT];

	(void)state;
	probed_places(places);
	for (uint64_t round = 1; round <= 10; round++) {
		struct target target;
		struct uprobes *u;
		unsigned entry;
		pid_t child;

		start_forked(&target, fork_in_child);
		u = open_uprobes();
		entry = define(u, places, PROBED_COUNT, false, &entries);
		assert_int_equal(uprobes_attach(u, entry, target.pid, NULL), 0);
		target.shared->go = true;
		await(&target.shared->ready, 1);
		child = target.shared->other;
		assert_int_equal(uprobes_keep_breakpoints(u, entry, child, NULL), 0);
		target.shared->kept = true;
		assert_int_equal(finish(&target), 0);
		assert_int_equal(counted(&entries, places[0].offset), round * CHILD_CALLS);
		assert_released(u, child);
		close_uprobes(u);
	}
	close(places[0].file);
	free_counter(&entries);
}

static void test_malloc_family(void **state)
{
	struct counter entries, returns;
	struct prober_place places[FAMILY_COUNT];
	struct target target;
	struct uprobes *u;
	unsigned entry, ret;

	(void)state;
	skip_with_own_malloc();
	family_places(places, false);
	u = open_uprobes();
	entries = make_counter(true);
	returns = make_counter(false);
	entry = define(u, places, FAMILY_COUNT, false, &entries);
	ret = define(u, places, 1, true, &returns);
	start_forked(&target, work_in_family);
	assert_int_equal(uprobes_attach(u, entry, target.pid, NULL), 0);
	assert_int_equal(uprobes_attach(u, ret, target.pid, NULL), 0);
	assert_int_equal(finish(&target), 0);
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		assert_int_equal(counted(&entries, places[i].offset),
			(i == FAMILY_FREE ? FAMILY_COUNT - 2 : 1) * TIMES);
	assert_int_equal(counted(&returns, 0), TIMES);
	close_uprobes(u);
	close(places[0].file);
	free_counter(&entries);
	free_counter(&returns);
}

/* Where the stack pointer still is as at the entry, a return is seen all the same. */
static void test_return_behind_the_entry(void **state)
{
	struct counter returns;
	struct prober_place places[FAMILY_COUNT];
	struct target target;
	struct uprobes *u;
	unsigned ret;

	(void)state;
	skip_with_own_malloc();
	if (!family_places(places, true)) {
		close(places[0].file);
		skip();
	}
	u = open_uprobes();
	returns = make_counter(false);
	ret = define(u, places, FAMILY_COUNT, true, &returns);
	start_forked(&target, work_in_family);
	assert_int_equal(uprobes_attach(u, ret, target.pid, NULL), 0);
	assert_int_equal(finish(&target), 0);
	assert_int_equal(counted(&returns, 0), (FAMILY_COUNT - 1 + FAMILY_COUNT - 2) * TIMES);
	close_uprobes(u);
	close(places[0].file);
	free_counter(&returns);
}

/* Found by its descriptor: a path with blanks, then no path at all. */
static void test_any_path(void **state)
{
	char folder[] = "/tmp/sooth test XXXXXX", path[64];
	struct counter entries = make_counter(true);
	struct prober_place places[PROBED_COUNT];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a b:0x1 #c", folder);
	copy_own_program(path);
	for (int is_deleted = 0; is_deleted < 2; is_deleted++) {
		int file = open(path, O_RDONLY | O_CLOEXEC);
		struct uprobes *u = open_uprobes();
		struct target target;
		unsigned entry;

		assert_true(file >= 0);
		probed_places(places);
		close(places[0].file);
		for (size_t i = 0; i < PROBED_COUNT; i++)
			places[i].file = file;
		start_executed(&target, path);
		if (is_deleted) {
			pause_executed(&target);
			assert_int_equal(unlink(path), 0);
		}
		entry = define(u, places, PROBED_COUNT, false, &entries);
		close(file);
		assert_true(attach_all(u, entry, target.pid) > 0);
		assert_int_equal(finish(&target), 0);
		assert_int_equal(
			counted(&entries, places[0].offset), (is_deleted + 1) * WORKERS * TIMES);
		close_uprobes(u);
	}
	assert_int_equal(rmdir(folder), 0);
	free_counter(&entries);
}

/* Two of them in one process, one ends before the other; and one that opens later sweeps. */
static void test_beside_each_other(void **state)
{
	struct counter a = make_counter(true), b = make_counter(true);
	struct uprobes *first, *second, *third;
	struct prober_place places[PROBED_COUNT];
	unsigned of_first, of_second;
	struct target target;
	uint64_t took = 0;

	(void)state;
	probed_places(places);
	start_executed(&target, "/proc/self/exe"); /* before, or it would have copies of all */
	first = open_uprobes();
	second = open_uprobes();
	of_first = define(first, places, PROBED_COUNT, false, &a);
	of_second = define(second, places, PROBED_COUNT, false, &b);
	assert_int_equal(uprobes_attach(first, of_first, target.pid, NULL), 0);
	assert_int_equal(uprobes_attach(second, of_second, target.pid, NULL), 0);
	uprobes_close(first, &took);
	assert_in_range(took, 1, TIMEOUT_NS);
	await_definitions(getpid(), PROBED_COUNT + 1);
	third = open_uprobes();
	assert_int_equal(definitions(getpid()), PROBED_COUNT + 1);
	uprobes_close(third, NULL);
	assert_int_equal(finish(&target), 0);
	assert_int_equal(counted(&a, places[0].offset), 0);
	assert_int_equal(counted(&b, places[0].offset), WORKERS * TIMES);
	close_uprobes(second);
	uprobes_close(NULL, &took);
	assert_int_equal(took, 0);
	close(places[0].file);
	free_counter(&a);
	free_counter(&b);
}

static void assert_refused(struct uprobes *u, struct prober_place *places, size_t which, int code)
{
	struct counter counter = make_counter(true);
	struct sooth_error err = { 0 };
	size_t refused = 99;
	unsigned event;

	assert_int_equal(uprobes_define(u, places, PROBED_COUNT, false, counter.program, &event,
				 &refused, &err),
		code);
	assert_int_equal(refused, which);
	assert_int_equal(err.code, code);
	assert_true(err.tried[0] && err.why[0]);
	assert_int_equal(definitions(getpid()), 0);
	free_counter(&counter);
}

static void test_refused(void **state)
{
	int folder = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct prober_place places[PROBED_COUNT], right;
	struct uprobes *u = open_uprobes();

	(void)state;
	probed_places(places);
	right = places[5];
	places[5].file = folder;
	assert_refused(u, places, 5, -EINVAL);
	places[5] = (struct prober_place){ right.file, 1ull << 40, 0 };
	assert_refused(u, places, 5, -EINVAL);
	places[5] = places[2];
	assert_refused(u, places, 5, -EEXIST);
	places[5] = (struct prober_place){ right.file, refused_offset(), 0 };
	assert_refused(u, places, 5, -EOPNOTSUPP);
	places[5] = right;
	places[0] = (struct prober_place){ 12345, 0, 0 };
	assert_refused(u, places, 0, -EBADF);
	close_uprobes(u);
	close(right.file);
	close(folder);
}

static void test_refused_thread(void **state)
{
	struct rlimit limit, before;
	struct uprobes *u = open_uprobes();
	struct counter counter = make_counter(true);
	struct prober_place places[PROBED_COUNT];
	struct sooth_error err;
	unsigned event;
	int code = 0;

	(void)state;
	probed_places(places);
	event = define(u, places, 1, false, &counter);
	assert_int_equal(uprobes_attach(u, event, reaped_pid(), &err), -ESRCH);
	assert_int_equal(err.fault, SOOTH_FAULT_NOT_FOUND);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = 40;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < 40 && !code; i++)
		code = uprobes_attach(u, event, getpid(), &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(code, -EMFILE);
	assert_non_null(strstr(err.missing, "40"));
	assert_non_null(strstr(err.remedy, "ulimit -n"));
	close_uprobes(u);
	close(places[0].file);
	free_counter(&counter);
}

static int open_as_nobody(struct shared *shared)
{
	struct sooth_error err = { 0 };
	struct uprobes *u;

	until_go(shared);
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return 1;
	return uprobes_open(&u, NULL, &err) != -EPERM || u || err.fault != SOOTH_FAULT_PRIVILEGE ||
	       !strstr(err.remedy, "root");
}

static void test_unprivileged(void **state)
{
	struct target target;

	(void)state;
	start_forked(&target, open_as_nobody);
	assert_int_equal(finish(&target), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_running),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_malloc_family),
		cmocka_unit_test(test_return_behind_the_entry),
		cmocka_unit_test(test_any_path),
		cmocka_unit_test(test_beside_each_other),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_thread),
		cmocka_unit_test(test_unprivileged),
	};

	if (argc > 1)
		return run_executed(argv);
	if (geteuid()) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
