/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User-space probes go again: nothing is left behind by whatever end, and what was
 * probed does not notice. Without root all is skipped.
 *
 * SOOTH_TEST_ROUNDS says how often the probes come and go while a target works.
 */
#include "uprobes_support.h"

static const int deaf_to[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

struct one_event {
	struct uprobes *probes;
	struct counter counter;
	struct prober_place places[PROBED_COUNT];
};

static struct one_event make_one_event(void)
{
	struct one_event e = { .probes = open_uprobes(), .counter = make_counter(true) };

	probed_places(e.places);
	define(e.probes, e.places, 1, false, &e.counter);
	return e;
}

static void free_one_event(struct one_event *e)
{
	close(e->places[0].file);
	free_counter(&e->counter);
}

static void test_guard(void **state)
{
	struct one_event e = make_one_event();
	pid_t guard = guard_of(getpid());

	(void)state;
	await_file(guard, "comm", "sooth-guard\n");
	assert_int_equal(count_files(guard, "fd"), 3);
	assert_int_equal(getsid(guard), guard);
	for (size_t i = 0; i < ARRAY_SIZE(deaf_to); i++)
		assert_int_equal(kill(guard, deaf_to[i]), 0);
	assert_int_equal(definitions(getpid()), 2);
	close_uprobes(e.probes);
	assert_int_equal(kill(guard, 0), -1);
	free_one_event(&e);
}

/* Has probes in another child of its parent, and waits to be killed. */
static struct counter owned;
static struct prober_place owned_places[PROBED_COUNT];

static int own_probes(struct shared *shared)
{
	struct uprobes *u;
	unsigned event;

	until_go(shared);
	if (uprobes_open(&u, NULL, NULL))
		return 1;
	for (int is_return = 0; is_return < 2; is_return++) {
		if (uprobes_define(u, owned_places, PROBED_COUNT, is_return, owned.program, &event,
			    NULL, NULL) ||
			uprobes_attach(u, event, shared->other, NULL))
			return 2;
	}
	shared->ready = 1;
	for (;;)
		pause();
}

static void killed(bool is_guard_killed)
{
	struct target target, owner;
	struct uprobes *u;

	owned = make_counter(false);
	probed_places(owned_places);
	start_forked(&target, work_until_stopped);
	target.shared->go = true;
	await(&target.shared->ready, 1);
	start_forked(&owner, own_probes);
	owner.shared->other = target.pid;
	owner.shared->go = true;
	await(&owner.shared->ready, 1);
	assert_int_equal(definitions(owner.pid), 2 * (PROBED_COUNT + 1));
	if (is_guard_killed)
		kill(guard_of(owner.pid), SIGKILL);
	kill(owner.pid, SIGKILL);
	assert_int_equal(finish(&owner), -SIGKILL);
	if (is_guard_killed) {
		assert_int_equal(definitions(owner.pid), 2 * (PROBED_COUNT + 1));
		u = open_uprobes();
		assert_int_equal(definitions(owner.pid), 0);
		close_uprobes(u);
	}
	await_definitions(owner.pid, 0);
	assert_true(counted(&owned, 0) > 0);
	target.shared->stop = true;
	assert_int_equal(finish(&target), 0);
	close(owned_places[0].file);
	free_counter(&owned);
}

static void test_killed_owner(void **state)
{
	(void)state;
	killed(false);
}

static void test_killed_guard(void **state)
{
	(void)state;
	killed(true);
}

/* Then the events are removed by the process that made them. */
static void test_closed_without_guard(void **state)
{
	struct one_event e = make_one_event();
	pid_t guard = guard_of(getpid());

	(void)state;
	kill(guard, SIGKILL);
	await_file(guard, "stat", ") Z ");
	uprobes_close(e.probes, NULL);
	assert_int_equal(definitions(getpid()), 0);
	free_one_event(&e);
}

/* Only what was made by one of us, and by a process that is no more. */
static void test_swept_by_hand(void **state)
{
	struct tracefs_group dead = { .owner = { .start_ticks = 1, .pid = reaped_pid() }, .guard = 3 };
	struct tracefs_group mine = { .guard = 3 };
	struct prober_place places[PROBED_COUNT];
	int latch = memfd_create("latch", MFD_CLOEXEC);
	int tracefs = tracefs_open(NULL);
	struct uprobes *u;

	(void)state;
	probed_places(places);
	assert_int_equal(procfs_identify(getpid(), &mine.owner), 0);
	for (int i = 0; i < 2; i++) {
		const struct tracefs_group *group = i ? &dead : &mine;

		assert_int_equal(
			tracefs_define(tracefs, group, 7, false, latch, TRACEFS_LATCH_OFFSET, NULL),
			0);
		for (size_t j = 0; j < PROBED_COUNT; j++)
			assert_int_equal(tracefs_define(tracefs, group, 7, false, places[j].file,
						 places[j].offset, NULL),
				0);
	}
	u = open_uprobes();
	assert_int_equal(definitions((pid_t)dead.owner.pid), 0);
	assert_int_equal(definitions(getpid()), PROBED_COUNT + 1);
	assert_int_equal(tracefs_remove(tracefs, &mine, 7), 0);
	assert_int_equal(tracefs_remove(tracefs, &mine, 7), -ENOENT);
	close_uprobes(u);
	close(tracefs);
	close(latch);
	close(places[0].file);
}

static int pause_copies(struct shared *shared)
{
	shared->ready = 1;
	while (!shared->stop)
		usleep(1000);
	return 0;
}

/* A child forked meanwhile has copies of all descriptors: until it ends, nothing may be freed. */
static void test_copied_descriptors(void **state)
{
	struct counter counter = make_counter(true);
	struct prober_place places[PROBED_COUNT];
	struct target target, copies;
	struct uprobes *u;
	unsigned entry;

	(void)state;
	probed_places(places);
	start_forked(&target, work_until_stopped);
	u = open_uprobes();
	entry = define(u, places, PROBED_COUNT, false, &counter);
	assert_int_equal(uprobes_attach(u, entry, target.pid, NULL), 0);
	start_forked(&copies, pause_copies);
	target.shared->go = true;
	await(&copies.shared->ready, 1);
	uprobes_close(u, NULL);
	assert_int_equal(definitions(getpid()), PROBED_COUNT + 1);
	copies.shared->stop = true;
	assert_int_equal(finish(&copies), 0);
	await_definitions(getpid(), 0);
	target.shared->stop = true;
	assert_int_equal(finish(&target), 0);
	assert_int_equal(waitpid(-1, NULL, 0), -1); /* what removed them is no child */
	close(places[0].file);
	free_counter(&counter);
}

static void rounds(int (*work)(struct shared *), unsigned count)
{
	struct counter entries, returns;
	struct prober_place entry_places[FAMILY_COUNT], return_places[FAMILY_COUNT];
	struct target target;

	skip_with_own_malloc();
	entries = make_counter(true);
	returns = make_counter(false);
	family_places(entry_places, false);
	family_places(return_places, true);
	start_forked(&target, work);
	target.shared->go = true;
	await(&target.shared->ready, 1);
	for (unsigned i = 0; i < count; i++) {
		struct uprobes *u = open_uprobes();
		unsigned entry = define(u, entry_places, FAMILY_COUNT, false, &entries);
		unsigned ret = define(u, return_places, FAMILY_COUNT, true, &returns);
		uint64_t seen = counted(&returns, 0);

		attach_all(u, entry, target.pid);
		attach_all(u, ret, target.pid);
		for (uint64_t begin = clock_monotonic_ns(); counted(&returns, 0) == seen;)
			assert_true(clock_monotonic_ns() - begin < TIMEOUT_NS);
		close_uprobes(u);
		assert_int_equal(kill(target.pid, 0), 0);
	}
	target.shared->stop = true;
	assert_int_equal(finish(&target), 0);
	close(entry_places[0].file);
	close(return_places[0].file);
	free_counter(&entries);
	free_counter(&returns);
}

static unsigned round_count(unsigned least)
{
	const char *text = getenv("SOOTH_TEST_ROUNDS");

	return text ? (unsigned)strtoul(text, NULL, 10) : least;
}

static void test_rounds(void **state)
{
	(void)state;
	rounds(work_until_stopped, round_count(10));
}

/* Children come and end while the events are closed: some hold one for a moment longer. */
static void test_rounds_with_children(void **state)
{
	(void)state;
	rounds(fork_until_stopped, round_count(10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_killed_owner),
		cmocka_unit_test(test_killed_guard),
		cmocka_unit_test(test_closed_without_guard),
		cmocka_unit_test(test_swept_by_hand),
		cmocka_unit_test(test_copied_descriptors),
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_rounds_with_children),
	};

	if (geteuid()) {
		puts("needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
