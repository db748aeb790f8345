/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The observer on a scripted system: who is in the live set, whose records it
 * takes, why it ends, and which backend it fell back to.
 */
#include "support.h"

#include <errno.h>

#include "base/units.h"
#include "collect/observer.h"
#include "model/probe.h"
#include "explain/report.h"
#include "model/schema.h"
#include "os/fake/fake.h"
#include "probes/proc.h"
#include "probes/syscalls.h"

#define KINDS 64

/* Everything an observer sent, as one run of records. */
struct taken {
	struct buffer records;
	unsigned heads;
	uint64_t last_watermark_ns;
	bool is_complete; /* a record came that a watermark had promised not to */
};

static int take(void *user, const struct block *block, struct sooth_error *err)
{
	struct taken *t = user;

	(void)err;
	assert_int_equal(batch_check(&block->batch), block->header.records);
	if (block->header.type == BLOCK_SEGMENT)
		t->heads++;
	else if (block->header.first_ns < t->last_watermark_ns)
		t->is_complete = false;
	if (block->header.watermark_ns)
		t->last_watermark_ns = block->header.watermark_ns;
	buffer_append(&t->records, block->batch.data, block->batch.size);
	return 0;
}

struct scene {
	struct fake *fake;
	struct sooth_observer *observer;
	struct taken taken;
	struct sooth_error err;
};

static void scene_open(struct scene *s)
{
	*s = (struct scene){ .fake = fake_new(), .taken = { .is_complete = true } };
	assert_non_null(s->fake);
	assert_int_equal(observer_new_on(&s->observer, fake_os(s->fake), NULL, &s->err), 0);
	assert_int_equal(observer_connect(s->observer, take, &s->taken, &s->err), 0);
}

static void scene_close(struct scene *s)
{
	sooth_observer_free(s->observer);
	assert_int_equal(fake_counts(s->fake)->opened, fake_counts(s->fake)->closed);
	assert_true(s->taken.is_complete);
	buffer_fini(&s->taken.records);
	fake_free(s->fake);
}

static unsigned count_of(const struct taken *t, uint16_t kind, uint32_t pid)
{
	struct batch all = { t->records.data, t->records.size };
	unsigned count = 0;

	batch_for_each (r, &all)
		count += r->kind == kind && (!pid || r->pid == pid);
	return count;
}

static const struct sooth_record *last_of(const struct taken *t, uint16_t kind)
{
	struct batch all = { t->records.data, t->records.size };
	const struct sooth_record *found = NULL;

	batch_for_each (r, &all) {
		if (r->kind == kind)
			found = r;
	}
	return found;
}

static const char *field_of(const struct sooth_record *r, const char *name)
{
	static char text[512];
	const struct sooth_schema *schema = registry_schema(r->kind);
	struct sooth_value v = sooth_field_get(sooth_schema_field(schema, name), r);

	assert_true(v.text.size < sizeof(text));
	memcpy(text, v.text.data, v.text.size);
	text[v.text.size] = '\0';
	return text;
}

static uint64_t counted(const struct taken *t, uint32_t pid, uint32_t number)
{
	struct batch all = { t->records.data, t->records.size };
	uint64_t sum = 0;

	batch_for_each (r, &all) {
		const struct syscalls_count *c = (const void *)r;

		if (r->kind == SYSCALLS_COUNT && r->pid == pid && c->number == number)
			sum += c->count;
	}
	return sum;
}

static void call(struct scene *s, struct fake_process *p, uint32_t number)
{
	fake_call(s->fake, p, &(struct fake_call){ .number = number, .duration_ns = 1000 });
}

static void watch(
	struct scene *s, const struct fake_process *p, const char *probe, unsigned interest)
{
	assert_int_equal(sooth_observer_add_pid(s->observer, (pid_t)p->id.pid, &s->err), 0);
	assert_int_equal(sooth_observer_add_probe(s->observer, probe, interest, &s->err), 0);
}

static void start(struct scene *s)
{
	assert_int_equal(sooth_observer_start(s->observer, &s->err), 0);
}

static int step(struct scene *s)
{
	return sooth_observer_step(s->observer, 20, &s->err);
}

static void stop(struct scene *s)
{
	assert_int_equal(sooth_observer_stop(s->observer, SOOTH_END_STOPPED, &s->err), 0);
}

static uint32_t end_reason(const struct scene *s)
{
	return ((const struct stream_end *)last_of(&s->taken, STREAM_END))->reason;
}

/* --- tests --- */

static void test_head(void **state)
{
	struct scene s;
	struct batch all;
	unsigned schemas = 0;

	(void)state;
	scene_open(&s);
	watch(&s, fake_add(s.fake, 10, 0, "ten"), "syscalls", SOOTH_COUNT);
	start(&s);
	stop(&s);
	assert_int_equal(s.taken.heads, 1);
	all = (struct batch){ s.taken.records.data, s.taken.records.size };
	assert_int_equal(batch_first(&all)->kind, STREAM_SEGMENT);
	for (size_t i = 0; stream_schemas[i]; i++)
		schemas++;
	for (size_t i = 0; registry_probe("syscalls")->schemas[i]; i++)
		schemas++;
	assert_int_equal(count_of(&s.taken, STREAM_SCHEMA, 0), schemas);
	assert_int_equal(count_of(&s.taken, STREAM_BEGIN, 0), 1);
	assert_int_equal(count_of(&s.taken, STREAM_END, 0), 1);
	assert_int_equal(count_of(&s.taken, STREAM_SELF, 0), 1);
	assert_string_equal(field_of(last_of(&s.taken, STREAM_SEGMENT), "hostname"), "fake-host");
	assert_string_equal(field_of(last_of(&s.taken, STREAM_SOURCE), "method"), "scripted");
	assert_string_equal(field_of(last_of(&s.taken, STREAM_SOURCE), "fallback_reason"), "");
	assert_string_equal(field_of(last_of(&s.taken, STREAM_TARGET), "selector"), "pid");
	assert_int_equal(end_reason(&s), SOOTH_END_STOPPED);
	scene_close(&s);
}

/* Only the target's calls, also those of children and grandchildren, until they leave. */
static void test_live_set(void **state)
{
	struct scene s;
	struct fake_process *ten, *other, *child, *grandchild, *stranger;

	(void)state;
	scene_open(&s);
	ten = fake_add(s.fake, 10, 0, "ten");
	other = fake_add(s.fake, 11, 0, "other");
	watch(&s, ten, "syscalls", SOOTH_COUNT | SOOTH_STREAM);
	start(&s);
	call(&s, ten, 1);
	call(&s, other, 1);
	child = fake_fork(s.fake, ten, 12);
	stranger = fake_fork(s.fake, other, 13);
	call(&s, child, 2);
	call(&s, stranger, 2);
	assert_int_equal(step(&s), 1);
	grandchild = fake_fork(s.fake, child, 14);
	fake_end(s.fake, child, 0);
	assert_int_equal(step(&s), 1);
	call(&s, grandchild, 3);
	fake_end(s.fake, ten, 0);
	assert_int_equal(step(&s), 1); /* the grandchild lives on */
	call(&s, grandchild, 3);
	fake_end(s.fake, grandchild, 0);
	assert_int_equal(step(&s), 0);
	stop(&s);
	assert_int_equal(end_reason(&s), 2 /* STREAM_END_TARGET */);
	assert_int_equal(counted(&s.taken, 10, 1), 1);
	assert_int_equal(counted(&s.taken, 12, 2), 1);
	assert_int_equal(counted(&s.taken, 14, 3), 2);
	assert_int_equal(count_of(&s.taken, SYSCALLS_CALL, 14), 2);
	assert_int_equal(count_of(&s.taken, PROCESS_JOIN, 0), 2);
	assert_int_equal(count_of(&s.taken, PROCESS_LEAVE, 0), 3);
	for (uint16_t pid = 11; pid <= 13; pid += 2)
		assert_int_equal(count_of(&s.taken, SYSCALLS_CALL, pid), 0);
	scene_close(&s);
}

/* Calls come after the pause has ended: the time of each decides. */
static void test_pauses(void **state)
{
	struct fake_process *ten;
	struct scene s;

	(void)state;
	scene_open(&s);
	ten = fake_add(s.fake, 10, 0, "ten");
	watch(&s, ten, "syscalls", SOOTH_STREAM);
	assert_int_equal(sooth_observer_pause(s.observer, &s.err), -EINVAL);
	assert_int_equal(sooth_observer_mark(s.observer, "early", &s.err), -EINVAL);
	start(&s);
	for (uint32_t number = 1; number <= 5; number++) {
		fake_advance(s.fake, 1000000);
		call(&s, ten, number);
		fake_advance(s.fake, 1000000);
		if (number == 2) {
			assert_int_equal(sooth_observer_pause(s.observer, &s.err), 0);
			assert_int_equal(sooth_observer_pause(s.observer, &s.err), 0);
		} else if (number == 4) {
			assert_int_equal(sooth_observer_resume(s.observer, &s.err), 0);
			assert_int_equal(sooth_observer_resume(s.observer, &s.err), 0);
		}
	}
	assert_int_equal(sooth_observer_mark(s.observer, "last", &s.err), 0);
	assert_int_equal(sooth_observer_mark(s.observer, "", &s.err), -EINVAL);
	fake_end(s.fake, ten, 0);
	assert_int_equal(step(&s), 0);
	stop(&s);
	assert_int_equal(count_of(&s.taken, SYSCALLS_CALL, 10), 3);
	assert_int_equal(count_of(&s.taken, STREAM_MARK, 0), 3);
	assert_string_equal(field_of(last_of(&s.taken, STREAM_MARK), "name"), "last");
	assert_int_equal(count_of(&s.taken, PROCESS_LEAVE, 10), 1);
	scene_close(&s);
}

static void test_counts_have_no_pauses(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	watch(&s, fake_add(s.fake, 10, 0, "ten"), "syscalls", SOOTH_COUNT);
	start(&s);
	assert_int_equal(sooth_observer_pause(s.observer, &s.err), -EOPNOTSUPP);
	assert_non_null(strstr(s.err.why, "syscalls"));
	stop(&s);
	scene_close(&s);
}

/* The same pid again is another process. */
static void test_pid_reuse(void **state)
{
	struct scene s;
	struct fake_process *ten, *again;
	struct syscalls_call foreign = { .number = 77 };
	struct buffer one = { 0 };

	(void)state;
	scene_open(&s);
	ten = fake_add(s.fake, 10, 0, "ten");
	watch(&s, ten, "syscalls", SOOTH_STREAM);
	start(&s);
	call(&s, ten, 1);
	fake_advance(s.fake, NS_PER_S);
	again = fake_add(s.fake, 10, 0, "again");
	foreign.record = (struct sooth_record){ .time_ns = fake_now(s.fake),
		.pid = 10,
		.tid = 10,
		.start_ticks = again->id.start_ticks,
		.kind = SYSCALLS_CALL };
	RECORD_APPEND(&one, &foreign, NULL, 0);
	fake_record(s.fake, (const void *)one.data);
	step(&s);
	stop(&s);
	assert_int_equal(count_of(&s.taken, SYSCALLS_CALL, 10), 1);
	buffer_fini(&one);
	scene_close(&s);
}

static void test_exec_samples_again(void **state)
{
	struct scene s;
	struct fake_process *ten;
	const struct proc_process *last;

	(void)state;
	scene_open(&s);
	ten = fake_add(s.fake, 10, 0, "ten");
	watch(&s, ten, "proc", SOOTH_SAMPLE);
	assert_int_equal(sooth_observer_add_probe(s.observer, "syscalls", SOOTH_COUNT, &s.err), 0);
	start(&s);
	assert_int_equal(count_of(&s.taken, PROC_PROCESS, 10), 0); /* not sent yet */
	step(&s);
	assert_int_equal(count_of(&s.taken, PROC_PROCESS, 10), 1);
	fake_exec(s.fake, ten, "eleven");
	step(&s);
	step(&s);
	assert_int_equal(count_of(&s.taken, PROC_PROCESS, 10), 2);
	stop(&s);
	last = (const void *)last_of(&s.taken, PROC_PROCESS);
	assert_int_equal(count_of(&s.taken, PROC_PROCESS, 10), 3);
	assert_string_equal(field_of(&last->record, "name"), "eleven");
	scene_close(&s);
}

/* A process that joins is sampled, one that left is not, and nothing of it is kept. */
static void test_samples_follow_the_live_set(void **state)
{
	struct scene s;
	struct fake_process *ten, *child;

	(void)state;
	scene_open(&s);
	ten = fake_add(s.fake, 10, 0, "ten");
	watch(&s, ten, "proc", SOOTH_SAMPLE);
	assert_int_equal(sooth_observer_add_probe(s.observer, "syscalls", SOOTH_COUNT, &s.err), 0);
	start(&s);
	assert_int_equal(fake_members(s.fake), 1);
	child = fake_fork(s.fake, ten, 11);
	step(&s);
	assert_int_equal(fake_members(s.fake), 2);
	fake_end(s.fake, child, 0);
	step(&s);
	assert_int_equal(fake_members(s.fake), 1);
	stop(&s);
	/* Once when it joined; nothing after it left. */
	assert_int_equal(count_of(&s.taken, PROC_PROCESS, 11), 1);
	scene_close(&s);
}

/* A sample that is taken only once is taken of a process that is added later, and of no child. */
static void test_added_later_is_read_once(void **state)
{
	struct scene s;
	struct fake_process *ten, *twenty;

	(void)state;
	scene_open(&s);
	ten = fake_add(s.fake, 10, 0, "ten");
	twenty = fake_add(s.fake, 20, 0, "twenty");
	watch(&s, ten, "proc", SOOTH_SAMPLE | SOOTH_ONCE);
	assert_int_equal(sooth_observer_add_probe(s.observer, "syscalls", SOOTH_COUNT, &s.err), 0);
	start(&s);
	assert_int_equal(sooth_observer_add_pid(s.observer, 20, &s.err), 0);
	fake_fork(s.fake, twenty, 21);
	step(&s);
	step(&s);
	assert_int_equal(count_of(&s.taken, PROC_PROCESS, 20), 1);
	assert_int_equal(count_of(&s.taken, PROC_PROCESS, 21), 0);
	stop(&s);
	scene_close(&s);
}

/* Nothing is taken any more for an observer that is freed: no sample, no record. */
static void test_freed_while_it_runs(void **state)
{
	struct scene s;
	struct fake_process *ten;
	unsigned samples;
	size_t bytes;

	(void)state;
	scene_open(&s);
	ten = fake_add(s.fake, 10, 0, "ten");
	watch(&s, ten, "proc", SOOTH_SAMPLE);
	assert_int_equal(sooth_observer_add_probe(s.observer, "syscalls", SOOTH_STREAM, &s.err), 0);
	start(&s);
	step(&s);
	samples = fake_counts(s.fake)->samples;
	bytes = s.taken.records.size;
	fake_fork(s.fake, ten, 11);
	sooth_observer_free(s.observer);
	s.observer = NULL;
	assert_int_equal(fake_counts(s.fake)->samples, samples);
	assert_int_equal(s.taken.records.size, bytes);
	scene_close(&s);
}

static void test_sampling_interval(void **state)
{
	struct sooth_observer_options options = { .size = sizeof(options),
		.sample_ns = 100 * NS_PER_MS };
	struct scene s;

	(void)state;
	scene_open(&s);
	sooth_observer_free(s.observer);
	assert_int_equal(observer_new_on(&s.observer, fake_os(s.fake), &options, &s.err), 0);
	assert_int_equal(observer_connect(s.observer, take, &s.taken, &s.err), 0);
	watch(&s, fake_add(s.fake, 10, 0, "ten"), "proc", SOOTH_SAMPLE);
	start(&s);
	for (int i = 0; i < 50; i++)
		assert_int_equal(step(&s), 1); /* 20 ms each */
	stop(&s);
	assert_int_equal(fake_counts(s.fake)->samples, 1 + 10 + 1);
	/* A tick a second, and one whenever records came. */
	assert_true(count_of(&s.taken, STREAM_TICK, 0) >= 10);
	scene_close(&s);
}

/* Without a backend that tells of ends, looking finds them. */
static void test_end_without_events(void **state)
{
	struct scene s;
	struct fake_process *ten;

	(void)state;
	scene_open(&s);
	ten = fake_add(s.fake, 10, 0, "ten");
	watch(&s, ten, "proc", SOOTH_SAMPLE);
	start(&s);
	assert_int_equal(step(&s), 1);
	fake_vanish(s.fake, ten, 0);
	for (int i = 0; i < 100 && step(&s) > 0; i++)
		;
	assert_int_equal(step(&s), 0);
	stop(&s);
	assert_int_equal(end_reason(&s), STREAM_END_TARGET);
	scene_close(&s);
}

/* The event of an end got lost: within a second it is noticed all the same. */
static void test_lost_end(void **state)
{
	struct scene s;
	struct fake_process *ten;
	int steps = 0;

	(void)state;
	scene_open(&s);
	ten = fake_add(s.fake, 10, 0, "ten");
	watch(&s, ten, "syscalls", SOOTH_COUNT);
	start(&s);
	call(&s, ten, 5);
	fake_vanish(s.fake, ten, 0);
	while (steps < 50 && step(&s) > 0)
		steps++;
	assert_in_range(steps, 1, 49);
	stop(&s);
	assert_int_equal(end_reason(&s), STREAM_END_TARGET);
	assert_int_equal(counted(&s.taken, 10, 5), 1);
	scene_close(&s);
}

/* It ends between the drain and the look whether it lives: what it counted comes after that. */
static void test_end_between_drain_and_sweep(void **state)
{
	struct scene s;
	struct fake_process *ten;

	(void)state;
	scene_open(&s);
	ten = fake_add(s.fake, 10, 0, "ten");
	watch(&s, ten, "syscalls", SOOTH_COUNT);
	start(&s);
	call(&s, ten, 5);
	fake_advance(s.fake, NS_PER_S); /* a look is due */
	fake_vanish(s.fake, ten, 0);
	step(&s);
	fake_emit_end(s.fake, ten);
	while (step(&s) > 0)
		;
	stop(&s);
	assert_int_equal(counted(&s.taken, 10, 5), 1);
	assert_int_equal(count_of(&s.taken, PROCESS_LEAVE, 10), 1);
	scene_close(&s);
}

static void test_stop_reasons(void **state)
{
	static const enum sooth_end whys[] = { SOOTH_END_DURATION, SOOTH_END_STOPPED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(whys); i++) {
		struct scene s;

		scene_open(&s);
		watch(&s, fake_add(s.fake, 10, 0, "ten"), "syscalls", SOOTH_COUNT);
		start(&s);
		step(&s);
		assert_int_equal(sooth_observer_stop(s.observer, whys[i], &s.err), 0);
		assert_int_equal(end_reason(&s), whys[i]);
		/* Once is enough. */
		assert_int_equal(sooth_observer_stop(s.observer, whys[i], &s.err), 0);
		assert_int_equal(count_of(&s.taken, STREAM_END, 0), 1);
		scene_close(&s);
	}
}

static void test_no_such_process(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	assert_int_equal(sooth_observer_add_pid(s.observer, 99, &s.err), 0);
	assert_int_equal(sooth_observer_add_probe(s.observer, "syscalls", SOOTH_COUNT, &s.err), 0);
	assert_int_equal(sooth_observer_start(s.observer, NULL), -ESRCH);
	assert_int_equal(sooth_observer_start(s.observer, &s.err), -ESRCH);
	assert_int_equal(s.err.fault, SOOTH_FAULT_NOT_FOUND);
	scene_close(&s);
}

static void test_usage(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	assert_int_equal(sooth_observer_add_probe(s.observer, "nonsense", 1, &s.err), -ENOENT);
	assert_int_equal(sooth_observer_start(s.observer, &s.err), -EINVAL);
	assert_int_equal(s.err.fault, SOOTH_FAULT_USAGE);
	assert_int_equal(sooth_observer_add_pid(s.observer, 1, &s.err), 0);
	assert_int_equal(sooth_observer_add_pid(s.observer, 2, &s.err), 0);
	assert_int_equal(sooth_observer_set_user(s.observer, 0, &s.err), -EINVAL);
	assert_int_equal(sooth_observer_set_host(s.observer, &s.err), -EINVAL);
	scene_close(&s);
}

/* A probe that no backend of this system delivers. */
static void test_unsupported_probe(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	watch(&s, fake_add(s.fake, 10, 0, "ten"), "context", SOOTH_SAMPLE);
	assert_int_equal(sooth_observer_start(s.observer, NULL), -EOPNOTSUPP);
	assert_int_equal(sooth_observer_start(s.observer, &s.err), -EOPNOTSUPP);
	assert_int_equal(s.err.fault, SOOTH_FAULT_UNSUPPORTED);
	scene_close(&s);
}

static void test_fallback(void **state)
{
	const struct sooth_record *source;
	struct scene s;

	(void)state;
	scene_open(&s);
	fake_fail(s.fake, FAKE_NEED_SCRIPTED, -EPERM);
	watch(&s, fake_add(s.fake, 10, 0, "ten"), "syscalls", SOOTH_COUNT);
	start(&s);
	step(&s);
	stop(&s);
	source = last_of(&s.taken, STREAM_SOURCE);
	assert_string_equal(field_of(source, "method"), "second");
	assert_string_equal(field_of(source, "fallback_reason"),
		"scripted: look for the first need: Operation not permitted");
	assert_non_null(last_of(&s.taken, STREAM_LIMIT));
	scene_close(&s);
}

static void test_no_backend_works(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	fake_fail(s.fake, FAKE_NEED_SCRIPTED, -EPERM);
	fake_fail(s.fake, FAKE_NEED_SECOND, -ENOSYS);
	watch(&s, fake_add(s.fake, 10, 0, "ten"), "syscalls", SOOTH_COUNT);
	assert_int_equal(sooth_observer_start(s.observer, &s.err), -ENOSYS);
	assert_true(has(s.err.tried, "second need"));
	assert_true(s.err.remedy[0]);
	scene_close(&s);

	/* The need is met, opening fails all the same. */
	scene_open(&s);
	fake_fail(s.fake, FAKE_OPEN, -EBUSY);
	watch(&s, fake_add(s.fake, 10, 0, "ten"), "syscalls", SOOTH_COUNT);
	assert_int_equal(sooth_observer_start(s.observer, &s.err), -EBUSY);
	scene_close(&s);
}

/* Whatever step fails, the error comes through and everything opened is closed. */
static void test_failing_steps(void **state)
{
	(void)state;
	for (int i = FAKE_SET; i <= FAKE_STOP; i++) {
		struct scene s;
		struct fake_process *ten;
		int status;

		scene_open(&s);
		ten = fake_add(s.fake, 10, 0, "ten");
		watch(&s, ten, "syscalls", SOOTH_COUNT);
		fake_fail(s.fake, i, -EIO);
		status = sooth_observer_start(s.observer, &s.err);
		assert_int_equal(status, i == FAKE_SET || i == FAKE_START ? -EIO : 0);
		if (!status)
			status = step(&s);
		assert_int_equal(status, i == FAKE_STOP ? 1 : -EIO);
		if (i == FAKE_STOP)
			assert_int_equal(
				sooth_observer_stop(s.observer, SOOTH_END_STOPPED, &s.err), -EIO);
		scene_close(&s);
	}
}

static void test_loss_and_limits(void **state)
{
	struct scene s;
	const struct stream_loss *loss;

	(void)state;
	scene_open(&s);
	watch(&s, fake_add(s.fake, 10, 0, "ten"), "syscalls", SOOTH_COUNT);
	start(&s);
	fake_lose(s.fake, 7, 70, "the ring was full");
	step(&s);
	stop(&s);
	loss = (const void *)last_of(&s.taken, STREAM_LOSS);
	assert_non_null(loss);
	assert_int_equal(loss->records, 7);
	assert_int_equal(loss->bytes, 70);
	assert_string_equal(field_of(&loss->record, "source"), "syscalls");
	assert_string_equal(field_of(&loss->record, "reason"), "the ring was full");
	assert_string_equal(field_of(last_of(&s.taken, STREAM_LIMIT), "reason"), "it is a script");
	scene_close(&s);
}

static int interrupted(void *user)
{
	(void)user;
	return -EINTR;
}

static void test_signal(void **state)
{
	struct scene s;
	struct fake_process *ten;

	(void)state;
	scene_open(&s);
	ten = fake_add(s.fake, 10, 0, "ten");
	watch(&s, ten, "syscalls", SOOTH_STREAM);
	start(&s);
	fake_on_wait(s.fake, interrupted, NULL);
	call(&s, ten, 1);
	assert_int_equal(step(&s), -EINTR);
	assert_int_equal(count_of(&s.taken, SYSCALLS_CALL, 10), 1); /* it took what there was */
	fake_end(s.fake, ten, 0);
	assert_int_equal(step(&s), 0);
	scene_close(&s);
}

/* --- commands --- */

static void test_command(void **state)
{
	char *command[] = { "tool", "--token", "secret", NULL };
	struct scene s;
	struct fake_process *p;

	(void)state;
	scene_open(&s);
	assert_int_equal(sooth_observer_set_command(s.observer, command, &s.err), 0);
	assert_int_equal(sooth_observer_add_probe(s.observer, "syscalls", SOOTH_COUNT, &s.err), 0);
	assert_int_equal(sooth_observer_child_status(s.observer), -1);
	start(&s);
	p = fake_find(s.fake, 4000);
	assert_non_null(p);
	assert_false(p->is_before_exec);
	call(&s, p, 1);
	assert_int_equal(step(&s), 1);
	fake_end(s.fake, p, 3 << 8);
	assert_int_equal(step(&s), 0);
	stop(&s);
	assert_int_equal(counted(&s.taken, 4000, 1), 1);
	assert_int_equal(sooth_observer_child_status(s.observer), 3 << 8);
	assert_int_equal(
		((const struct stream_end *)last_of(&s.taken, STREAM_END))->child_status, 3 << 8);
	assert_int_equal(end_reason(&s), STREAM_END_TARGET);
	assert_memory_equal(field_of(last_of(&s.taken, STREAM_TARGET), "command"),
		"tool\0--token\0***", sizeof("tool\0--token\0***"));
	scene_close(&s);
}

static void test_command_that_cannot_run(void **state)
{
	char *command[] = { "nowhere", NULL };
	struct scene s;

	(void)state;
	scene_open(&s);
	fake_fail(s.fake, FAKE_RELEASE, -ENOENT);
	assert_int_equal(sooth_observer_set_command(s.observer, command, &s.err), 0);
	assert_int_equal(sooth_observer_add_probe(s.observer, "syscalls", SOOTH_COUNT, &s.err), 0);
	assert_int_equal(sooth_observer_start(s.observer, &s.err), -ENOENT);
	scene_close(&s);
}

/* A command that never started is ended, one that runs is left alone. */
static void test_command_is_let_go(void **state)
{
	char *command[] = { "tool", NULL };
	struct scene s;
	bool is_alive;

	(void)state;
	for (int fails = 0; fails < 2; fails++) {
		scene_open(&s);
		fake_fail(s.fake, FAKE_START, fails ? -EIO : 0);
		assert_int_equal(sooth_observer_set_command(s.observer, command, &s.err), 0);
		sooth_observer_add_probe(s.observer, "syscalls", SOOTH_COUNT, &s.err);
		assert_int_equal(sooth_observer_start(s.observer, &s.err), fails ? -EIO : 0);
		sooth_observer_free(s.observer);
		s.observer = NULL;
		is_alive = fake_find(s.fake, 4000)->is_alive;
		assert_int_equal(is_alive, !fails);
		scene_close(&s);
	}
}

/* --- open targets --- */

static void test_user(void **state)
{
	struct scene s;
	struct fake_process *mine, *other, *late;

	(void)state;
	scene_open(&s);
	mine = fake_add(s.fake, 10, 1000, "mine");
	other = fake_add(s.fake, 11, 1001, "other");
	assert_int_equal(sooth_observer_set_user(s.observer, 1000, &s.err), 0);
	assert_int_equal(sooth_observer_add_probe(s.observer, "syscalls", SOOTH_COUNT, &s.err), 0);
	start(&s);
	late = fake_add(s.fake, 12, 1000, "late");
	call(&s, mine, 1);
	call(&s, other, 1);
	call(&s, late, 1);
	fake_end(s.fake, mine, 0);
	assert_int_equal(step(&s), 1); /* more may come */
	stop(&s);
	assert_int_equal(counted(&s.taken, 10, 1), 1);
	assert_int_equal(counted(&s.taken, 11, 1), 0);
	assert_int_equal(counted(&s.taken, 12, 1), 1);
	assert_string_equal(field_of(last_of(&s.taken, STREAM_TARGET), "selector"), "user 1000");
	scene_close(&s);
}

static void test_host(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	fake_add(s.fake, 10, 1000, "a");
	fake_add(s.fake, 11, 0, "b");
	assert_int_equal(sooth_observer_set_host(s.observer, &s.err), 0);
	assert_int_equal(sooth_observer_add_probe(s.observer, "proc", SOOTH_SAMPLE, &s.err), 0);
	start(&s);
	assert_int_equal(step(&s), 1);
	stop(&s);
	assert_int_equal(count_of(&s.taken, PROC_PROCESS, 10), 2);
	assert_int_equal(count_of(&s.taken, PROC_PROCESS, 11), 2);
	assert_int_equal(count_of(&s.taken, PROC_SNAPSHOT, 0), 2);
	scene_close(&s);
}

/* All are looked at; what is counted is of those that are meant and of what they start. */
static void test_targeted_of_a_host(void **state)
{
	struct fake_process *meant, *other, *child;
	struct scene s;

	(void)state;
	scene_open(&s);
	meant = fake_add(s.fake, 10, 1000, "a");
	other = fake_add(s.fake, 11, 0, "b");
	assert_int_equal(sooth_observer_set_host(s.observer, &s.err), 0);
	watch(&s, meant, "proc", SOOTH_SAMPLE);
	assert_int_equal(sooth_observer_add_probe(s.observer, "syscalls", SOOTH_COUNT, &s.err), 0);
	start(&s);
	child = fake_fork(s.fake, meant, 12);
	call(&s, meant, 1);
	call(&s, child, 1);
	call(&s, other, 1);
	assert_int_equal(step(&s), 1);
	stop(&s);
	assert_int_equal(counted(&s.taken, 10, 1), 1);
	assert_int_equal(counted(&s.taken, 12, 1), 1);
	assert_int_equal(counted(&s.taken, 11, 1), 0);
	assert_int_equal(count_of(&s.taken, PROC_PROCESS, 10), 2);
	assert_int_equal(count_of(&s.taken, PROC_PROCESS, 11), 2);
	scene_close(&s);
}

/* Who was named is there, or it is an error, whoever else is; unless he may be gone. */
static void test_targeted_and_gone(void **state)
{
	struct sooth_observer_options options = { .size = sizeof(options) };

	(void)state;
	for (int may_be_gone = 0; may_be_gone < 2; may_be_gone++) {
		struct fake *fake = fake_new();
		const struct fake_process *meant = fake_add(fake, 10, 1000, "a");
		struct sooth_observer *o;
		struct sooth_error err;

		options.may_be_gone = may_be_gone;
		assert_int_equal(observer_new_on(&o, fake_os(fake), &options, &err), 0);
		assert_int_equal(sooth_observer_set_host(o, &err), 0);
		assert_int_equal(sooth_observer_add_pid(o, 99, &err), 0);
		assert_int_equal(sooth_observer_add_pid(o, (pid_t)meant->id.pid, &err), 0);
		assert_int_equal(sooth_observer_add_probe(o, "proc", SOOTH_SAMPLE, &err), 0);
		assert_int_equal(sooth_observer_start(o, &err), may_be_gone ? 0 : -ESRCH);
		sooth_observer_free(o);
		fake_free(fake);
	}
}

/* One of several PIDs may have exited since they were found, but not all. */
static void test_pids_that_have_exited(void **state)
{
	struct sooth_observer_options options = { .size = sizeof(options) };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct fake *fake = fake_new();
		const struct fake_process *there = fake_add(fake, 10, 1000, "a");
		struct sooth_observer *o;
		struct sooth_error err;

		options.may_be_gone = i > 0;
		assert_int_equal(observer_new_on(&o, fake_os(fake), &options, &err), 0);
		assert_int_equal(sooth_observer_add_pid(o, 99, &err), 0);
		if (i < 2)
			assert_int_equal(sooth_observer_add_pid(o, (pid_t)there->id.pid, &err), 0);
		assert_int_equal(sooth_observer_add_probe(o, "proc", SOOTH_SAMPLE, &err), 0);
		assert_int_equal(sooth_observer_start(o, &err), i == 1 ? 0 : -ESRCH);
		sooth_observer_free(o);
		fake_free(fake);
	}
}

/* One of several is left out of the probe, with a limit that names it; not if it is the only one,
 * or if that was not requested. */
static void test_refused_among_several(void **state)
{
	struct sooth_observer_options options = { .size = sizeof(options) };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct taken taken = { .is_complete = true };
		struct fake *fake = fake_new();
		struct fake_process *seen = fake_add(fake, 10, 1000, "a");
		struct fake_process *hidden = fake_add(fake, 11, 0, "b");
		struct sooth_observer *o;
		struct sooth_error err;

		hidden->is_refused = true;
		options.may_be_refused = i > 0;
		assert_int_equal(observer_new_on(&o, fake_os(fake), &options, &err), 0);
		assert_int_equal(observer_connect(o, take, &taken, &err), 0);
		if (i < 2)
			assert_int_equal(sooth_observer_add_pid(o, (pid_t)seen->id.pid, &err), 0);
		assert_int_equal(sooth_observer_add_pid(o, (pid_t)hidden->id.pid, &err), 0);
		assert_int_equal(sooth_observer_add_probe(o, "proc", SOOTH_SAMPLE, &err), 0);
		assert_int_equal(sooth_observer_add_probe(o, "syscalls", SOOTH_COUNT, &err), 0);
		assert_int_equal(sooth_observer_start(o, &err), i == 1 ? 0 : -EPERM);
		if (i == 1) {
			fake_call(fake, seen, &(struct fake_call){ .number = 1 });
			fake_call(fake, hidden, &(struct fake_call){ .number = 1 });
			assert_int_equal(sooth_observer_step(o, 1, &err), 1);
			assert_int_equal(sooth_observer_stop(o, SOOTH_END_STOPPED, &err), 0);
			assert_int_equal(counted(&taken, 10, 1), 1);
			assert_int_equal(counted(&taken, 11, 1), 0);
			assert_int_equal(count_of(&taken, STREAM_LIMIT, 11), 1);
			assert_int_equal(count_of(&taken, STREAM_LIMIT, 10), 0);
			assert_int_equal(count_of(&taken, PROC_PROCESS, 11), 2);
			assert_string_equal(
				field_of(last_of(&taken, STREAM_LIMIT), "what"), "system calls");
		}
		sooth_observer_free(o);
		buffer_fini(&taken.records);
		fake_free(fake);
	}
}

/* --- several on one hub --- */

struct pair {
	struct fake *fake;
	struct sooth_observer *observers[2];
	struct taken taken[2];
	struct sooth_error err;
};

static void pair_open(struct pair *p)
{
	struct sooth_observer_options options = { .size = sizeof(options) };

	*p = (struct pair){ .fake = fake_new() };
	for (int i = 0; i < 2; i++) {
		p->taken[i].is_complete = true;
		assert_int_equal(
			observer_new_on(&p->observers[i], fake_os(p->fake), &options, &p->err), 0);
		assert_int_equal(observer_connect(p->observers[i], take, &p->taken[i], &p->err), 0);
		options.share = p->observers[0];
	}
}

static void pair_watch(struct pair *p, int i, const struct fake_process *process, unsigned interest)
{
	assert_int_equal(
		sooth_observer_add_pid(p->observers[i], (pid_t)process->id.pid, &p->err), 0);
	assert_int_equal(
		sooth_observer_add_probe(p->observers[i], "syscalls", interest, &p->err), 0);
}

static void pair_start(struct pair *p)
{
	for (int i = 0; i < 2; i++)
		assert_int_equal(sooth_observer_start(p->observers[i], &p->err), 0);
}

static void pair_stop(struct pair *p, int i)
{
	assert_int_equal(sooth_observer_stop(p->observers[i], SOOTH_END_STOPPED, &p->err), 0);
}

static void pair_free(struct pair *p, int i)
{
	sooth_observer_free(p->observers[i]);
	p->observers[i] = NULL;
}

static void pair_close(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		pair_free(p, i);
		assert_true(p->taken[i].is_complete);
		buffer_fini(&p->taken[i].records);
	}
	assert_int_equal(fake_counts(p->fake)->opened, fake_counts(p->fake)->closed);
	fake_free(p->fake);
}

static void one_call(struct pair *p, struct fake_process *process, uint32_t number)
{
	fake_call(p->fake, process, &(struct fake_call){ .number = number, .duration_ns = 5 });
}

static void test_shared_targets(void **state)
{
	struct fake_process *a, *b, *child;
	struct pair p;

	(void)state;
	pair_open(&p);
	a = fake_add(p.fake, 10, 0, "a");
	b = fake_add(p.fake, 20, 0, "b");
	pair_watch(&p, 0, a, SOOTH_STREAM);
	pair_watch(&p, 1, b, SOOTH_STREAM);
	pair_start(&p);
	assert_int_equal(fake_counts(p.fake)->opened, 1);
	assert_int_equal(fake_counts(p.fake)->started, 1);
	child = fake_fork(p.fake, b, 21);
	for (uint32_t i = 0; i < 3; i++) {
		one_call(&p, a, 1);
		one_call(&p, b, 2);
		one_call(&p, child, 3);
	}
	/* One steps often, the other only at the end: neither misses anything. */
	for (int i = 0; i < 5; i++)
		sooth_observer_step(p.observers[0], 20, &p.err);
	sooth_observer_step(p.observers[1], 20, &p.err);
	pair_stop(&p, 0);
	one_call(&p, b, 2);
	assert_int_equal(fake_counts(p.fake)->stopped, 0);
	pair_stop(&p, 1);
	assert_int_equal(fake_counts(p.fake)->stopped, 1);
	assert_int_equal(count_of(&p.taken[0], SYSCALLS_CALL, 0), 3);
	assert_int_equal(count_of(&p.taken[0], SYSCALLS_CALL, 10), 3);
	assert_int_equal(count_of(&p.taken[1], SYSCALLS_CALL, 20), 4);
	assert_int_equal(count_of(&p.taken[1], SYSCALLS_CALL, 21), 3);
	assert_int_equal(count_of(&p.taken[1], SYSCALLS_CALL, 0), 7);
	assert_int_equal(count_of(&p.taken[0], PROCESS_JOIN, 0), 0);
	pair_close(&p);
}

/* Both want one process, each in its own way: each gets its own kind of records. */
static void test_shared_interest(void **state)
{
	struct fake_process *a;
	struct pair p;

	(void)state;
	pair_open(&p);
	a = fake_add(p.fake, 10, 0, "a");
	pair_watch(&p, 0, a, SOOTH_COUNT);
	pair_watch(&p, 1, a, SOOTH_STREAM);
	assert_int_equal(sooth_observer_start(p.observers[0], &p.err), 0);
	assert_int_equal(fake_interest(p.fake, a), SOOTH_COUNT);
	assert_int_equal(sooth_observer_start(p.observers[1], &p.err), 0);
	assert_int_equal(fake_interest(p.fake, a), SOOTH_COUNT | SOOTH_STREAM);
	one_call(&p, a, 1);
	one_call(&p, a, 1);
	pair_stop(&p, 1);
	assert_int_equal(fake_interest(p.fake, a), SOOTH_COUNT);
	one_call(&p, a, 1);
	pair_stop(&p, 0);
	assert_int_equal(fake_interest(p.fake, a), 0);
	assert_int_equal(counted(&p.taken[0], 10, 1), 3);
	assert_int_equal(count_of(&p.taken[1], SYSCALLS_CALL, 0), 2);
	assert_int_equal(count_of(&p.taken[0], SYSCALLS_CALL, 0), 0);
	assert_int_equal(count_of(&p.taken[1], SYSCALLS_COUNT, 0), 0);
	pair_close(&p);
}

/* The same while both run: tallies are for who counts, events for who streams. */
static void test_shared_kinds(void **state)
{
	struct fake_process *a;
	struct pair p;

	(void)state;
	pair_open(&p);
	a = fake_add(p.fake, 10, 0, "a");
	pair_watch(&p, 0, a, SOOTH_COUNT);
	pair_watch(&p, 1, a, SOOTH_STREAM);
	pair_start(&p);
	one_call(&p, a, 1);
	fake_end(p.fake, a, 0); /* hands the tallies over */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sooth_observer_step(p.observers[i], 20, &p.err), 0);
		pair_stop(&p, i);
		assert_int_equal(count_of(&p.taken[i], PROCESS_LEAVE, 10), 1);
		assert_int_equal(count_of(&p.taken[i], SYSCALLS_COUNT, 0), i == 0);
		assert_int_equal(count_of(&p.taken[i], SYSCALLS_CALL, 0), i == 1);
	}
	pair_close(&p);
}

/* When the one that opened everything goes, the other carries on. */
static void test_shared_outlives_its_maker(void **state)
{
	struct fake_process *a, *b;
	struct pair p;

	(void)state;
	pair_open(&p);
	a = fake_add(p.fake, 10, 0, "a");
	b = fake_add(p.fake, 20, 0, "b");
	pair_watch(&p, 0, a, SOOTH_STREAM);
	pair_watch(&p, 1, b, SOOTH_STREAM);
	pair_start(&p);
	pair_free(&p, 0);
	assert_int_equal(fake_interest(p.fake, a), 0);
	assert_int_equal(fake_interest(p.fake, b), SOOTH_STREAM);
	one_call(&p, b, 2);
	assert_int_equal(sooth_observer_step(p.observers[1], 20, &p.err), 1);
	pair_stop(&p, 1);
	assert_int_equal(count_of(&p.taken[1], SYSCALLS_CALL, 20), 1);
	pair_close(&p);
}

/* A child joined in the very moment its only observer stops: nobody follows it any more. */
static void test_shared_join_at_stop(void **state)
{
	struct fake_process *a, *b, *child;
	struct pair p;

	(void)state;
	pair_open(&p);
	a = fake_add(p.fake, 10, 0, "a");
	b = fake_add(p.fake, 20, 0, "b");
	pair_watch(&p, 0, a, SOOTH_STREAM);
	pair_watch(&p, 1, b, SOOTH_STREAM);
	pair_start(&p);
	child = fake_fork(p.fake, a, 11);
	one_call(&p, child, 4);
	pair_stop(&p, 0);
	assert_int_equal(count_of(&p.taken[0], SYSCALLS_CALL, 11), 1);
	assert_int_equal(fake_interest(p.fake, a), 0);
	assert_int_equal(fake_interest(p.fake, child), 0);
	pair_close(&p);
}

struct late_fork {
	struct fake *fake;
	struct fake_process *parent, *child;
};

static void fork_now(void *user)
{
	struct late_fork *late = user;

	late->child = fake_fork(late->fake, late->parent, 12);
}

/* And one that forks at the very last moment, when its parent is being let go. */
static void test_shared_join_while_letting_go(void **state)
{
	struct late_fork late;
	struct pair p;

	(void)state;
	pair_open(&p);
	late.fake = p.fake;
	late.parent = fake_add(p.fake, 10, 0, "a");
	pair_watch(&p, 0, late.parent, SOOTH_STREAM);
	pair_watch(&p, 1, fake_add(p.fake, 20, 0, "b"), SOOTH_STREAM);
	pair_start(&p);
	fake_on_set(p.fake, fork_now, &late);
	pair_stop(&p, 0);
	assert_non_null(late.child);
	assert_int_equal(fake_interest(p.fake, late.child), 0);
	pair_close(&p);
}

/* A start that fails half-way leaves nothing behind for the one it shared with. */
static void test_shared_failed_start(void **state)
{
	struct fake_process *a, *b, *c;
	struct pair p;

	(void)state;
	pair_open(&p);
	a = fake_add(p.fake, 10, 0, "a");
	b = fake_add(p.fake, 20, 0, "b");
	c = fake_add(p.fake, 30, 0, "c");
	c->is_refused = true;
	pair_watch(&p, 0, a, SOOTH_STREAM);
	pair_watch(&p, 1, b, SOOTH_STREAM);
	pair_watch(&p, 1, c, SOOTH_STREAM);
	pair_watch(&p, 1, a, SOOTH_STREAM);
	assert_int_equal(sooth_observer_start(p.observers[0], &p.err), 0);
	assert_int_equal(sooth_observer_start(p.observers[1], &p.err), -EPERM);
	pair_free(&p, 1);
	assert_int_equal(fake_interest(p.fake, b), 0);
	assert_int_equal(fake_interest(p.fake, a), SOOTH_STREAM);
	one_call(&p, a, 1);
	assert_int_equal(sooth_observer_step(p.observers[0], 20, &p.err), 1);
	pair_stop(&p, 0);
	assert_int_equal(count_of(&p.taken[0], SYSCALLS_CALL, 10), 1);
	pair_close(&p);
}

/* Two that observe everything, in different ways, cannot share what is fixed at load. */
static void test_shared_hosts(void **state)
{
	struct fake_process *a;
	struct pair p;

	(void)state;
	pair_open(&p);
	a = fake_add(p.fake, 10, 0, "a");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sooth_observer_set_host(p.observers[i], &p.err), 0);
		assert_int_equal(sooth_observer_add_probe(p.observers[i], "syscalls",
					 i ? SOOTH_STREAM : SOOTH_COUNT, &p.err),
			0);
	}
	pair_start(&p);
	one_call(&p, a, 1);
	pair_stop(&p, 0);
	pair_stop(&p, 1);
	assert_int_equal(counted(&p.taken[0], 10, 1), 1);
	assert_int_equal(count_of(&p.taken[0], SYSCALLS_CALL, 0), 0);
	assert_int_equal(count_of(&p.taken[1], SYSCALLS_CALL, 10), 1);
	pair_close(&p);
}

/* --- the log --- */

static void count_lines(void *user, int level, const char *line)
{
	assert_in_range(level, 1, 4);
	assert_non_null(line);
	++*(unsigned *)user;
}

static void test_log_after_its_owner(void **state)
{
	unsigned lines = 0, before;
	struct sooth_observer_options options = {
		.size = sizeof(options), .log = count_lines, .log_user = &lines, .log_level = 4
	};
	struct fake *fake = fake_new();
	struct sooth_observer *first, *second;
	struct sooth_error err;

	(void)state;
	fake_add(fake, 10, 0, "a");
	assert_int_equal(observer_new_on(&first, fake_os(fake), &options, &err), 0);
	assert_int_equal(
		observer_new_on(&second, fake_os(fake),
			&(struct sooth_observer_options){ .size = sizeof(options), .share = first },
			&err),
		0);
	for (int i = 0; i < 2; i++) {
		struct sooth_observer *o = i ? second : first;

		sooth_observer_add_pid(o, 10, &err);
		sooth_observer_add_probe(o, "syscalls", SOOTH_COUNT, &err);
		assert_int_equal(sooth_observer_start(o, &err), 0);
	}
	sooth_observer_step(first, 1, &err);
	assert_true(lines > 0);
	sooth_observer_free(first);
	before = lines;
	assert_int_equal(sooth_observer_step(second, 1, &err), 1);
	assert_int_equal(lines, before);
	sooth_observer_free(second);
	fake_free(fake);
}

/* An agent or limit added before the start stands in the stream; later it is refused. */
static void test_added_before_start(void **state)
{
	static const char text[] = "name mine # ours\nbelow opt/mine\n";
	struct scene s;
	struct fake_process *p;

	(void)state;
	scene_open(&s);
	p = fake_add(s.fake, 10, 0, "one");
	watch(&s, p, "proc", SOOTH_SAMPLE);
	assert_int_equal(
		sooth_observer_add_agent(s.observer, "d/x.agent", text, strlen(text), &s.err), 0);
	assert_int_equal(
		sooth_observer_add_agent(s.observer, "d/y.agent", text, strlen(text), &s.err),
		-EEXIST);
	assert_int_equal(sooth_observer_add_limit(s.observer, "this", "that", "", &s.err), 0);
	assert_int_equal(sooth_observer_start(s.observer, &s.err), 0);
	assert_int_equal(
		sooth_observer_add_agent(s.observer, "d/z.agent", text, strlen(text), &s.err),
		-EBUSY);
	assert_int_equal(sooth_observer_add_limit(s.observer, "this", "that", "", &s.err), -EBUSY);
	assert_int_equal(sooth_observer_stop(s.observer, SOOTH_END_STOPPED, &s.err), 0);
	assert_int_equal(count_of(&s.taken, STREAM_AGENT, 0), 1);
	assert_string_equal(field_of(last_of(&s.taken, STREAM_AGENT), "file"), "x.agent");
	assert_string_equal(
		field_of(last_of(&s.taken, STREAM_AGENT), "text"), "name mine\nbelow opt/mine\n");
	assert_int_equal(count_of(&s.taken, STREAM_LIMIT, 0), 1);
	assert_string_equal(field_of(last_of(&s.taken, STREAM_LIMIT), "reason"), "that");
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_live_set),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_counts_have_no_pauses),
		cmocka_unit_test(test_pid_reuse),
		cmocka_unit_test(test_exec_samples_again),
		cmocka_unit_test(test_samples_follow_the_live_set),
		cmocka_unit_test(test_added_later_is_read_once),
		cmocka_unit_test(test_freed_while_it_runs),
		cmocka_unit_test(test_sampling_interval),
		cmocka_unit_test(test_end_without_events),
		cmocka_unit_test(test_lost_end),
		cmocka_unit_test(test_end_between_drain_and_sweep),
		cmocka_unit_test(test_stop_reasons),
		cmocka_unit_test(test_no_such_process),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_unsupported_probe),
		cmocka_unit_test(test_fallback),
		cmocka_unit_test(test_no_backend_works),
		cmocka_unit_test(test_failing_steps),
		cmocka_unit_test(test_loss_and_limits),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_command_that_cannot_run),
		cmocka_unit_test(test_command_is_let_go),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_targeted_of_a_host),
		cmocka_unit_test(test_targeted_and_gone),
		cmocka_unit_test(test_pids_that_have_exited),
		cmocka_unit_test(test_refused_among_several),
		cmocka_unit_test(test_shared_targets),
		cmocka_unit_test(test_shared_interest),
		cmocka_unit_test(test_shared_kinds),
		cmocka_unit_test(test_shared_outlives_its_maker),
		cmocka_unit_test(test_shared_join_at_stop),
		cmocka_unit_test(test_shared_join_while_letting_go),
		cmocka_unit_test(test_shared_failed_start),
		cmocka_unit_test(test_shared_hosts),
		cmocka_unit_test(test_log_after_its_owner),
		cmocka_unit_test(test_added_before_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
