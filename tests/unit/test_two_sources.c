/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two sources that follow the same processes, each by itself: every coming,
 * exec and end stands in the stream once, whoever tells it first.
 */
#include "support.h"

#include "base/units.h"
#include "collect/observer.h"
#include "os/fake/fake.h"
#include "probes/heap.h"
#include "probes/syscalls.h"

struct scene {
	struct fake *fake;
	struct sooth_observer *observer;
	struct buffer records;
	struct sooth_error err;
};

static int take(void *user, const struct block *block, struct sooth_error *err)
{
	(void)err;
	buffer_append(user, block->batch.data, block->batch.size);
	return 0;
}

static void scene_open(struct scene *s, const struct sooth_observer_options *options)
{
	*s = (struct scene){ .fake = fake_new() };
	assert_int_equal(observer_new_on(&s->observer, fake_os(s->fake), options, &s->err), 0);
	assert_int_equal(observer_connect(s->observer, take, &s->records, &s->err), 0);
	assert_int_equal(sooth_observer_add_probe(s->observer, "proc", SOOTH_SAMPLE, &s->err), 0);
	assert_int_equal(
		sooth_observer_add_probe(s->observer, "syscalls", SOOTH_COUNT, &s->err), 0);
	assert_int_equal(
		sooth_observer_add_probe(s->observer, "heap", SOOTH_COUNT | SOOTH_STREAM, &s->err),
		0);
}

static void scene_close(struct scene *s)
{
	sooth_observer_free(s->observer);
	assert_int_equal(fake_counts(s->fake)->opened, fake_counts(s->fake)->closed);
	buffer_fini(&s->records);
	fake_free(s->fake);
}

static unsigned count_of(const struct scene *s, uint16_t kind, const struct fake_process *p)
{
	struct batch all = { s->records.data, s->records.size };
	unsigned count = 0;

	batch_for_each (r, &all)
		count += r->kind == kind && r->pid == p->id.pid &&
			 r->start_ticks == p->id.start_ticks;
	return count;
}

static void act(struct scene *s, struct fake_process *p)
{
	fake_call(s->fake, p, &(struct fake_call){ .number = 39, .duration_ns = 1000 });
	fake_allocate(s->fake, p,
		&(struct heap_call){ .function = HEAP_MALLOC, .address = 0x1000, .size = 64 });
}

static int step(struct scene *s)
{
	return sooth_observer_step(s->observer, 20, &s->err);
}

static void start(struct scene *s)
{
	assert_int_equal(sooth_observer_start(s->observer, &s->err), 0);
}

static void stop(struct scene *s)
{
	assert_int_equal(sooth_observer_stop(s->observer, SOOTH_END_STOPPED, &s->err), 0);
}

/* A child comes, execs twice, and ends: in one cycle, or in one for each. */
static void live_and_die(struct scene *s, struct fake_process *parent, bool in_one_cycle)
{
	struct fake_process *child = fake_fork(s->fake, parent, in_one_cycle ? 20 : 30);
	const char *const names[] = { "one", "two" };

	act(s, child);
	for (size_t i = 0; i < 2; i++) {
		if (!in_one_cycle)
			assert_int_equal(step(s), 1);
		fake_advance(s->fake, NS_PER_MS);
		fake_exec(s->fake, child, names[i]);
		act(s, child);
	}
	if (!in_one_cycle) {
		assert_int_equal(step(s), 1);
		assert_int_equal(fake_members(s->fake), 2);
	}
	fake_end(s->fake, child, 0);
	assert_int_equal(step(s), 1);
	assert_int_equal(fake_members(s->fake), 1);
	assert_int_equal(fake_interest(s->fake, child), 0);
	assert_int_equal(count_of(s, PROCESS_JOIN, child), 1);
	assert_int_equal(count_of(s, PROCESS_EXEC, child), 2);
	assert_int_equal(count_of(s, PROCESS_LEAVE, child), 1);
	assert_int_equal(count_of(s, HEAP_CALL, child), 3);
	assert_int_equal(count_of(s, HEAP_COUNT, child), 3);
	assert_int_equal(count_of(s, SYSCALLS_COUNT, child), 1);
}

static void test_reported_once(void **state)
{
	struct scene s;
	struct fake_process *ten;

	(void)state;
	scene_open(&s, NULL);
	ten = fake_add(s.fake, 10, 0, "ten");
	sooth_observer_add_pid(s.observer, 10, &s.err);
	start(&s);
	live_and_die(&s, ten, false);
	live_and_die(&s, ten, true);
	fake_end(s.fake, ten, 0);
	assert_int_equal(step(&s), 0);
	stop(&s);
	assert_int_equal(count_of(&s, PROCESS_LEAVE, ten), 1);
	scene_close(&s);
}

/* That it ended was found out before a record told: the record still comes, once. */
static void test_end_found_out_first(void **state)
{
	struct scene s;
	struct fake_process *ten;

	(void)state;
	scene_open(&s, NULL);
	ten = fake_add(s.fake, 10, 0, "ten");
	sooth_observer_add_pid(s.observer, 10, &s.err);
	start(&s);
	act(&s, ten);
	fake_advance(s.fake, NS_PER_S);
	fake_vanish(s.fake, ten, 0);
	step(&s);
	fake_emit_end(s.fake, ten);
	step(&s);
	stop(&s);
	assert_int_equal(count_of(&s, PROCESS_LEAVE, ten), 1);
	scene_close(&s);
}

/* Where every process belongs, also those whose coming nobody told. */
static void test_host(void **state)
{
	struct scene s;
	struct fake_process *ten, *child;

	(void)state;
	scene_open(&s, NULL);
	ten = fake_add(s.fake, 10, 0, "ten");
	sooth_observer_set_host(s.observer, &s.err);
	start(&s);
	act(&s, ten);
	step(&s);
	child = fake_fork(s.fake, ten, 11);
	act(&s, child);
	step(&s);
	fake_end(s.fake, child, 0);
	fake_end(s.fake, ten, 0);
	step(&s);
	stop(&s);
	assert_int_equal(count_of(&s, PROCESS_JOIN, child), 1);
	assert_int_equal(count_of(&s, PROCESS_LEAVE, child), 1);
	assert_int_equal(count_of(&s, PROCESS_LEAVE, ten), 1);
	assert_int_equal(count_of(&s, HEAP_CALL, ten), 1);
	scene_close(&s);
}

/* A launched command may be held, nothing else. */
static void test_command(void **state)
{
	const struct sooth_observer_options options = { .size = sizeof(options),
		.heap.may_pause = true };
	char *command[] = { (char *)(uintptr_t) "program", NULL };
	struct fake_process *p;
	struct scene s;

	(void)state;
	scene_open(&s, &options);
	sooth_observer_set_command(s.observer, command, &s.err);
	start(&s);
	p = fake_find(s.fake, 4000);
	assert_non_null(p);
	act(&s, p);
	step(&s);
	fake_end(s.fake, p, 0);
	step(&s);
	stop(&s);
	assert_int_equal(fake_counts(s.fake)->pausing, 2);
	assert_int_equal(count_of(&s, PROCESS_EXEC, p), 1);
	assert_int_equal(count_of(&s, PROCESS_LEAVE, p), 1);
	assert_int_equal(count_of(&s, HEAP_CALL, p), 1);
	scene_close(&s);

	scene_open(&s, &options);
	fake_add(s.fake, 10, 0, "ten");
	sooth_observer_add_pid(s.observer, 10, &s.err);
	start(&s);
	stop(&s);
	assert_int_equal(fake_counts(s.fake)->pausing, 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reported_once),
		cmocka_unit_test(test_end_found_out_first),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
