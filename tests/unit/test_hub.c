/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources that are attached once for several consumers, and when a backend gets which interest. */
#include "support.h"

/* Padding has any value, and the structs are compared as bytes. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include <sooth/probe_options.h>
#pragma GCC diagnostic pop

#include <errno.h>

#include "base/units.h"
#include "collect/hub.h"
#include "os/fake/fake.h"
#include "probes/syscalls.h"

/* They are inside other public structs: a new member takes room of `unused`. */
_Static_assert(sizeof(void *) != 8 || (sizeof(struct sooth_heap_options) == 56 &&
					      sizeof(struct sooth_profile_options) == 48 &&
					      sizeof(struct sooth_calls_options) == 40),
	"sizes never change");

struct scene {
	struct fake *fake;
	struct hub *hub;
	struct fake_process *a, *b;
	struct sooth_error err;
};

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->fake = fake_new();
	s->a = fake_add(s->fake, 10, 0, "a");
	s->b = fake_add(s->fake, 20, 0, "b");
	*state = s;
	return hub_new(&s->hub, fake_os(s->fake), NULL, &s->err);
}

static int teardown(void **state)
{
	struct scene *s = *state;
	int left = (int)(fake_counts(s->fake)->opened - fake_counts(s->fake)->closed);

	hub_unref(s->hub);
	fake_free(s->fake);
	free(s);
	return left;
}

static struct hub_source *acquire(struct scene *s, const char *probe, struct probe_options options)
{
	struct buffer refusals = { 0 };
	struct hub_source *source = NULL;

	assert_int_equal(hub_acquire(s->hub, probe, &options, &source, &refusals, &s->err), 0);
	buffer_fini(&refusals);
	return source;
}

static void test_shared_or_not(void **state)
{
	struct scene *s = *state;
	struct hub_source *sources[] = {
		acquire(s, "syscalls", (struct probe_options){ .interest = INTEREST_COUNT }),
		acquire(s, "syscalls", (struct probe_options){ .interest = INTEREST_STREAM }),
		acquire(s, "syscalls", (struct probe_options){ .has_uid = true, .uid = 5 }),
		acquire(s, "syscalls", (struct probe_options){ .has_uid = true, .uid = 6 }),
		acquire(s, "syscalls", (struct probe_options){ .is_host = true }),
		acquire(s, "proc", (struct probe_options){ 0 }),
		acquire(s, "proc", (struct probe_options){ 0 }),
		acquire(s, "syscalls", (struct probe_options){ .observer.heap.may_pause = true }),
	};

	assert_ptr_equal(sources[0], sources[1]);
	assert_int_equal(fake_counts(s->fake)->opened, 7);
	for (size_t i = 1; i < ARRAY_SIZE(sources); i++) {
		for (size_t k = 1; k < i; k++)
			assert_ptr_not_equal(sources[i], sources[k]);
	}
	hub_release(s->hub, sources[0]);
	assert_int_equal(fake_counts(s->fake)->closed, 0);
	for (size_t i = 1; i < ARRAY_SIZE(sources); i++)
		hub_release(s->hub, sources[i]);
	hub_release(s->hub, NULL);
}

/* Every byte of the options of probes decides; texts are compared as such. */
static void test_options(void **state)
{
	struct scene *s = *state;
	struct probe_options options = { .observer.heap.preload_path = "/a.so",
		.observer.calls.call_set = "read" };
	char path[] = "/a.so", set[] = "read";
	struct hub_source *first = acquire(s, "syscalls", options), *other;
	const struct {
		size_t at, size;
	} parts[] = {
#define PART(member, text)                                                                         \
	{ offsetof(struct probe_options, observer.member) + (text),                                \
		sizeof(options.observer.member) - (text) }
		PART(heap, sizeof(char *)),
		PART(profile, 0),
		PART(calls, sizeof(char *)),
#undef PART
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		for (size_t k = 0; k < parts[i].size; k++) {
			struct probe_options changed = options;

			((unsigned char *)&changed)[parts[i].at + k] = 1;
			other = acquire(s, "syscalls", changed);
			assert_ptr_not_equal(other, first);
			hub_release(s->hub, other);
		}
	}
	options.observer.heap.preload_path = path;
	options.observer.calls.call_set = set;
	assert_ptr_equal(acquire(s, "syscalls", options), first);
	hub_release(s->hub, first);
	path[1] = 'b';
	assert_ptr_not_equal(other = acquire(s, "syscalls", options), first);
	hub_release(s->hub, other);
	path[1] = 'a';
	set[0] = 'b';
	assert_ptr_not_equal(other = acquire(s, "syscalls", options), first);
	hub_release(s->hub, other);
	hub_release(s->hub, first);
}

static int want(struct scene *s, struct hub_source *source, unsigned interest)
{
	return hub_want(source, &s->a->id, interest, false, &s->err);
}

static int unwant(struct scene *s, struct hub_source *source, unsigned interest)
{
	return hub_unwant(source, &s->a->id, interest, false, &s->err);
}

/* The backend hears of changes only. */
static void test_interest(void **state)
{
	struct scene *s = *state;
	struct hub_source *source = acquire(s, "syscalls", (struct probe_options){ 0 });
	const struct fake_counts *counts = fake_counts(s->fake);
	struct step {
		int (*step)(struct scene *, struct hub_source *, unsigned);
		unsigned interest, sets, then;
	} steps[] = {
		{ want, INTEREST_COUNT, 1, INTEREST_COUNT },
		{ want, INTEREST_COUNT, 1, INTEREST_COUNT },
		{ want, INTEREST_STREAM, 2, INTEREST_COUNT | INTEREST_STREAM },
		{ unwant, INTEREST_COUNT, 2, INTEREST_COUNT | INTEREST_STREAM },
		{ unwant, INTEREST_COUNT, 3, INTEREST_STREAM },
		{ want, INTEREST_COUNT | INTEREST_STREAM, 4, INTEREST_COUNT | INTEREST_STREAM },
		{ unwant, INTEREST_STREAM, 4, INTEREST_COUNT | INTEREST_STREAM },
		{ unwant, INTEREST_COUNT | INTEREST_STREAM, 5, 0 },
		{ unwant, INTEREST_COUNT, 5, 0 }, /* once too often does no harm */
		{ want, INTEREST_COUNT, 6, INTEREST_COUNT },
		{ unwant, INTEREST_COUNT, 7, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_int_equal(steps[i].step(s, source, steps[i].interest), 0);
		assert_int_equal(counts->sets, steps[i].sets);
		assert_int_equal(fake_interest(s->fake, s->a), steps[i].then);
	}
	hub_release(s->hub, source);
}

/* A child that the kernel side follows by itself is only noted. */
static void test_followed(void **state)
{
	struct scene *s = *state;
	struct hub_source *source = acquire(s, "syscalls", (struct probe_options){ 0 });
	struct fake_process *child;

	want(s, source, INTEREST_COUNT);
	assert_int_equal(hub_start(s->hub, source, &s->err), 0);
	child = fake_fork(s->fake, s->a, 11);
	assert_int_equal(hub_want(source, &child->id, INTEREST_COUNT, true, &s->err), 0);
	assert_int_equal(fake_counts(s->fake)->sets, 1);
	assert_int_equal(hub_want(source, &child->id, INTEREST_STREAM, false, &s->err), 0);
	assert_int_equal(fake_counts(s->fake)->sets, 2);
	assert_int_equal(fake_interest(s->fake, child), INTEREST_COUNT | INTEREST_STREAM);
	hub_release(s->hub, source);
}

/* A system whose caller may watch process 10 only, and later not even that. */
struct gated {
	struct os os;
	unsigned asked, allowed;
};

static int may_watch(const struct os *os, const struct process_id *process, struct sooth_error *err)
{
	struct gated *g = (void *)((char *)(uintptr_t)os - offsetof(struct gated, os));

	g->asked++;
	if (process && process->pid == 10 && g->asked <= g->allowed)
		return 0;
	return error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "watch");
}

static void test_gate(void **state)
{
	struct scene *s = *state;
	struct gated gated = { .os = *fake_os(s->fake), .allowed = 2 };
	const struct probe_options all[] = { { .is_host = true }, { .has_uid = true } };
	const struct fake_counts *counts = fake_counts(s->fake);
	struct buffer refusals = { 0 };
	struct hub_source *source;

	gated.os.may_watch = may_watch;
	hub_unref(s->hub);
	assert_int_equal(hub_new(&s->hub, &gated.os, NULL, &s->err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_int_equal(
			hub_acquire(s->hub, "syscalls", &all[i], &source, &refusals, &s->err),
			-EPERM);
	buffer_fini(&refusals);
	assert_int_equal(counts->opened, 0);
	/* Samples read files as the caller. */
	hub_release(s->hub, acquire(s, "proc", all[0]));

	source = acquire(s, "syscalls", (struct probe_options){ 0 });
	gated.asked = 0;
	assert_int_equal(hub_want(source, &s->b->id, INTEREST_COUNT, false, &s->err), -EPERM);
	assert_int_equal(counts->sets, 0);
	hub_unwant(source, &s->b->id, INTEREST_COUNT, true, &s->err);
	/* Asked before and after; a launched command is not asked about. */
	gated.asked = 0;
	assert_int_equal(want(s, source, INTEREST_COUNT), 0);
	assert_int_equal(gated.asked, 2);
	assert_int_equal(counts->sets, 1);
	assert_int_equal(unwant(s, source, INTEREST_COUNT), 0);
	assert_int_equal(want(s, source, INTEREST_COUNT | INTEREST_FROM_EXEC), 0);
	assert_int_equal(unwant(s, source, INTEREST_COUNT), 0);
	assert_int_equal(gated.asked, 2);
	/* A process that gains privilege in between is released, and the run fails. */
	gated.asked = 0;
	gated.allowed = 1;
	assert_int_equal(want(s, source, INTEREST_COUNT), -EAGAIN);
	assert_int_equal(s->err.fault, SOOTH_FAULT_INTERNAL);
	assert_int_equal(fake_interest(s->fake, s->a), 0);
	hub_release(s->hub, source);
	hub_unref(s->hub);
	assert_int_equal(hub_new(&s->hub, fake_os(s->fake), NULL, &s->err), 0);
}

struct consumer {
	unsigned batches, records;
	int fail;
};

static int take(
	void *user, struct hub_source *source, const struct batch *batch, struct sooth_error *err)
{
	struct consumer *t = user;

	(void)err;
	assert_non_null(hub_source_backend(source));
	t->batches++;
	t->records += (unsigned)batch_check(batch);
	return t->fail;
}

static void test_delivery(void **state)
{
	struct scene *s = *state;
	struct hub_source *source = acquire(s, "syscalls", (struct probe_options){ 0 });
	struct consumer consumers[2] = { 0 };
	uint64_t complete_ns;

	want(s, source, INTEREST_STREAM);
	for (int i = 0; i < 2; i++)
		assert_int_equal(hub_join(s->hub, take, &consumers[i], &s->err), 0);
	assert_int_equal(hub_start(s->hub, source, &s->err), 0);
	assert_int_equal(hub_start(s->hub, source, &s->err), 0);
	assert_int_equal(fake_counts(s->fake)->started, 1);
	fake_call(s->fake, s->a, &(struct fake_call){ .number = 1 });
	assert_int_equal(hub_cycle(s->hub, &complete_ns, &s->err), 0);
	assert_int_equal(complete_ns, fake_now(s->fake) - 5 * NS_PER_MS);
	assert_int_equal(consumers[0].records, consumers[1].records);
	assert_int_equal(consumers[0].records, 2); /* the call, and the limit told at opening */
	hub_leave(s->hub, &consumers[1]);
	fake_call(s->fake, s->a, &(struct fake_call){ .number = 1 });
	assert_int_equal(hub_stop(s->hub, source, &s->err), 0); /* another one still runs */
	assert_int_equal(fake_counts(s->fake)->stopped, 0);
	assert_int_equal(consumers[0].records, 3);
	assert_int_equal(consumers[1].records, 2);
	consumers[0].fail = -EIO;
	fake_call(s->fake, s->a, &(struct fake_call){ .number = 1 });
	assert_int_equal(hub_cycle(s->hub, &complete_ns, &s->err), -EIO);
	assert_int_equal(hub_stop(s->hub, source, &s->err), 0);
	assert_int_equal(fake_counts(s->fake)->stopped, 1);
	hub_release(s->hub, source);
}

/* The latest of the running backends says how complete it is. */
static void test_lateness(void **state)
{
	struct scene *s = *state;
	struct hub_source *first = acquire(s, "syscalls", (struct probe_options){ 0 });
	struct hub_source *second;
	uint64_t complete_ns;

	fake_fail(s->fake, FAKE_NEED_SCRIPTED, -EPERM);
	second = acquire(s, "syscalls", (struct probe_options){ .is_host = true });
	assert_string_equal(hub_source_backend(second)->name, "second");
	hub_cycle(s->hub, &complete_ns, &s->err);
	assert_int_equal(complete_ns, fake_now(s->fake)); /* none runs */
	hub_start(s->hub, first, &s->err);
	hub_start(s->hub, second, &s->err);
	hub_cycle(s->hub, &complete_ns, &s->err);
	assert_int_equal(complete_ns, fake_now(s->fake) - 50 * NS_PER_MS);
	hub_release(s->hub, first);
	hub_release(s->hub, second);
}

static void test_refusals(void **state)
{
	struct scene *s = *state;
	struct probe_options options = { 0 };
	struct buffer refusals = { 0 };
	struct hub_source *source;

	fake_fail(s->fake, FAKE_NEED_SCRIPTED, -EPERM);
	fake_fail(s->fake, FAKE_NEED_SECOND, -ENOSYS);
	assert_int_equal(
		hub_acquire(s->hub, "syscalls", &options, &source, &refusals, &s->err), -ENOSYS);
	assert_string_equal(buffer_cstr(&refusals),
		"scripted: look for the first need: Operation not permitted; "
		"second: look for the second need: Function not implemented");
	assert_int_equal(s->err.fault, SOOTH_FAULT_UNSUPPORTED);
	assert_int_equal(
		hub_acquire(s->hub, "pages", &options, &source, &refusals, &s->err), -EOPNOTSUPP);
	buffer_fini(&refusals);
}

/* Backends that say what a sample costs: the last figure of their names, a process. */
static uint64_t two_each(const struct probe_options *options)
{
	return 2 * options->process_count;
}

static uint64_t seven_at_all(const struct probe_options *options)
{
	return options->interest & INTEREST_DETAIL ? UINT64_MAX : 7;
}

#define SIZED(name_, cost)                                                                         \
	{                                                                                          \
		.name = name_, .probe = "sized", .sample_cost = cost                               \
	}
static const struct backend sized[] = { SIZED("walk", two_each), SIZED("iterate", seven_at_all),
	SIZED("walk again", two_each) };
static const struct backend *const sized_backends[] = { &sized[0], &sized[1], &sized[2], NULL };

static const char *chosen(struct scene *s, unsigned interest, size_t process_count)
{
	struct os os = *fake_os(s->fake);
	struct probe_options options = { .interest = interest, .process_count = process_count };
	struct buffer refusals = { 0 };
	struct hub_source *source;
	struct hub *hub;
	const char *name;

	os.backends = sized_backends;
	assert_int_equal(hub_new(&hub, &os, NULL, &s->err), 0);
	assert_int_equal(hub_acquire(hub, "sized", &options, &source, &refusals, &s->err), 0);
	assert_int_equal(refusals.size, 0);
	name = hub_source_backend(source)->name;
	hub_release(hub, source);
	hub_unref(hub);
	return name;
}

static void test_cheapest(void **state)
{
	struct scene *s = *state;

	assert_string_equal(chosen(s, INTEREST_SAMPLE, 0), "walk");
	assert_string_equal(chosen(s, INTEREST_SAMPLE, 3), "walk");
	assert_string_equal(chosen(s, INTEREST_SAMPLE, 4), "iterate");
	/* A backend that cannot serve is not tried. */
	assert_string_equal(chosen(s, INTEREST_SAMPLE | INTEREST_DETAIL, 4), "walk");
}

/* Its target uses half a CPU, so each of its events takes as many millionths of that as an event
 * costs nanoseconds. */
static struct {
	uint64_t hits;
	unsigned steps, detached;
} priced;

static uint64_t priced_hits(struct backend_run *run)
{
	(void)run;
	return priced.hits;
}

static bool priced_lighten(struct backend_run *run, struct backend_step *step)
{
	(void)run;
	*step = (struct backend_step){ "calls", "it does less" };
	return priced.steps++ == 0;
}

static int priced_stop(struct backend_run *run, struct sooth_error *err)
{
	(void)run;
	(void)err;
	priced.detached++;
	return 0;
}

static int priced_drain(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	assert_int_equal(priced.detached, 0);
	(void)run;
	return 0;
}

static uint64_t half_cpu(const struct os *os, const struct process_id *process)
{
	assert_int_equal(process->pid, 10);
	return (os->now_ns(os) - FAKE_START_NS) / 2;
}

static const struct backend priced_backend = { .name = "priced",
	.probe = "priced",
	.target_ns = 1000,
	.event = "event",
	.hits = priced_hits,
	.lighten = priced_lighten,
	.drain = priced_drain,
	.stop = priced_stop };
static const struct backend *const priced_backends[] = { &priced_backend, NULL };

/* After three seconds above the limit it takes a step, far above it at once; then it detaches. */
static void test_overhead(void **state)
{
	static const struct {
		uint64_t hits;
		unsigned steps, detached;
	} seconds[] = {
		{ 20000, 0, 0 },
		{ 30000, 0, 0 },
		{ 30000, 0, 0 },
		{ 24000, 0, 0 },
		{ 30000, 0, 0 },
		{ 30000, 0, 0 },
		{ 30000, 1, 0 },
		{ 24000, 1, 0 },
		{ 110000, 2, 1 },
		{ 900000, 2, 1 },
	};
	struct scene *s = *state;
	struct os os = *fake_os(s->fake);
	struct probe_options options = { .observer.max_overhead_percent = 5 };
	struct consumer limits = { 0 };
	struct buffer refusals = { 0 };
	struct hub_source *source;
	uint64_t complete_ns;
	struct hub *hub;

	os.backends = priced_backends;
	os.cpu_ns = half_cpu;
	assert_int_equal(hub_new(&hub, &os, NULL, &s->err), 0);
	assert_int_equal(hub_acquire(hub, "priced", &options, &source, &refusals, &s->err), 0);
	assert_int_equal(hub_join(hub, take, &limits, &s->err), 0);
	assert_int_equal(hub_want(source, &s->a->id, INTEREST_COUNT, false, &s->err), 0);
	assert_int_equal(hub_start(hub, source, &s->err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		priced.hits += seconds[i].hits;
		fake_advance(s->fake, NS_PER_S);
		assert_int_equal(hub_cycle(hub, &complete_ns, &s->err), 0);
		assert_int_equal(priced.steps, seconds[i].steps);
		assert_int_equal(priced.detached, seconds[i].detached);
		assert_int_equal(limits.records, seconds[i].steps);
		assert_int_equal(hub_is_lightened(source), seconds[i].steps > 0);
	}
	assert_int_equal(hub_stop(hub, source, &s->err), 0);
	assert_int_equal(priced.detached, 1);
	hub_leave(hub, &limits);
	hub_release(hub, source);
	hub_unref(hub);
}

static void test_too_many(void **state)
{
	struct scene *s = *state;
	struct consumer consumers[17] = { 0 };

	for (int i = 0; i < 16; i++)
		assert_int_equal(hub_join(s->hub, take, &consumers[i], &s->err), 0);
	assert_int_equal(hub_join(s->hub, take, &consumers[16], &s->err), -EUSERS);
	hub_leave(s->hub, &consumers[3]);
	assert_int_equal(hub_join(s->hub, take, &consumers[16], &s->err), 0);
}

static void test_references(void **state)
{
	struct scene *s = *state;
	struct hub *same = hub_ref(s->hub);

	assert_ptr_equal(same, s->hub);
	hub_unref(same);
	assert_ptr_equal(hub_os(s->hub), fake_os(s->fake));
	hub_unref(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shared_or_not),
		TEST(test_options),
		TEST(test_interest),
		TEST(test_followed),
		TEST(test_gate),
		TEST(test_delivery),
		TEST(test_lateness),
		TEST(test_refusals),
		TEST(test_cheapest),
		TEST(test_overhead),
		TEST(test_too_many),
		TEST(test_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
