/* SPDX-License-Identifier: BSD-2-Clause */
/* The views of a profile: self and total, roles, recursion, cut stacks, chains of the tree. */
#include "shown.h"

#include <zlib.h>

#include "analyze/calls/call_stacks.h"
#include "analyze/profile/profile_hot.h"
#include "analyze/profile/profile_patterns.h"
#include "analyze/profile/profile_table.h"
#include "json_check.h"
#include "probes/profile.h"
#include "probes/sched.h"

static void put_frame(uint32_t number, const char *function, const char *file, uint8_t kind)
{
	struct profile_frame f = { .record = { .time_ns = 1, .kind = PROFILE_FRAME },
		.frame = number,
		.frame_kind = kind,
		.begin = 0x1200,
		.function_state =
			function ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		.build_id_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = {
		{ &f.function, function ? function : "", function ? strlen(function) : 0 },
		{ &f.file, file, strlen(file) },
	};

	RECORD_APPEND(&records, &f, tail, 2);
}

static void put_stack(uint32_t number, enum profile_end end, const uint32_t *frames, size_t count)
{
	struct profile_stack d = { .record = { .time_ns = 1, .kind = PROFILE_STACK },
		.stack = number,
		.end = (uint8_t)end };
	struct record_tail tail[] = { { &d.frames, frames, count * sizeof(*frames) } };

	RECORD_APPEND(&records, &d, tail, 1);
}

static void put_samples(uint32_t stack, const char *thread, uint32_t tid, int count)
{
	struct profile_sample s = { .record = { .time_ns = 2,
					    .start_ticks = 7,
					    .pid = 10,
					    .tid = tid,
					    .kind = PROFILE_SAMPLE },
		.stack = stack,
		.period_ns = 10000000,
		.process = "demo" };

	strcpy(s.thread, thread);
	for (int i = 0; i < count; i++)
		RECORD_APPEND(&records, &s, NULL, 0);
}

/* 1: main > work > work > read; 2: cut > work; 3: main > other */
static void put_all(void)
{
	static const uint32_t first[] = { 4, 2, 2, 1 }, second[] = { 2 }, third[] = { 3, 1 };

	put_stack(1, PROFILE_WHOLE, first, 4);
	put_stack(2, PROFILE_NO_CODE, second, 1);
	put_stack(3, PROFILE_WHOLE, third, 2);
	put_samples(1, "demo", 10, 6);
	put_samples(2, "hot", 11, 3);
	put_samples(3, "demo", 10, 1);
	/* The names come last, as a backend writes them. */
	put_frame(1, "main", "/bin/demo", PROFILE_USER);
	put_frame(2, "work", "/bin/demo", PROFILE_USER);
	put_frame(3, NULL, "/lib/libother.so", PROFILE_USER);
	put_frame(4, "sys_read", "", PROFILE_KERNEL);
}

static void test_functions(void **state)
{
	const char *text;

	(void)state;
	put_all();
	text = show_view("profile", "profile-table", NULL, "text");
	assert_true(
		has(text, "10 samples, 100ms of CPU time, one per 10.0ms; whole stacks: 70.0 %"));
	assert_true(has(text, " 60.0   60.0    6     6 main sys_read           kernel\n"));
	/* It calls itself, and counts once. */
	assert_true(has(text, "  0.0   60.0    0     6 main work               demo\n"));
	assert_true(has(text, " 30.0   30.0    3     3 hot  work               demo\n"));
	assert_true(has(text, "  0.0   70.0    0     7 main main               demo\n"));
	assert_true(has(text, " 10.0   10.0    1     1 main libother.so+0x1200 libother.so\n"));
	assert_false(has(text, "ends of stacks"));
}

/* main is above sys_read, which is the function with most samples of its own. */
static void test_by_total(void **state)
{
	struct profile_options options = { .by_total = true };
	const char *text;

	(void)state;
	put_all();
	text = show_view("profile", "profile-table", &options, "text");
	assert_true(strstr(text, "main main ") < strstr(text, "main sys_read"));
	put_all();
	text = show_view("profile", "profile-table", NULL, "text");
	assert_true(strstr(text, "main main ") > strstr(text, "main sys_read"));
}

/* libother has no name for its function, which has a tenth of the samples; with fewer, no note. */
static void test_no_symbols(void **state)
{
	const char *text;

	(void)state;
	put_all();
	text = show_view("profile", "profile-table", NULL, "text");
	assert_true(has(text, "names of functions of libother.so: 10.0 % of the samples are in "
			      "functions for which the file has no symbol"));
	assert_true(has(text, "run a build of it that has symbols"));
	assert_false(has(text, "names of functions of demo"));
	put_all();
	put_samples(1, "demo", 10, 1);
	assert_false(has(show_view("profile", "profile-table", NULL, "text"), "has no symbol"));
}

static void put_wait(uint32_t stack, uint32_t tid, uint64_t ms, struct profile_wait w)
{
	w.record = (struct sooth_record){
		.time_ns = 2, .start_ticks = 7, .pid = 10, .tid = tid, .kind = PROFILE_WAIT
	};
	w.stack = stack;
	w.waited_ns = ms * 1000000;
	memcpy(w.process, "demo", 4);
	memcpy(w.thread, tid == 10 ? "demo" : "hot", tid == 10 ? 4 : 3);
	RECORD_APPEND(&records, &w, NULL, 0);
}

static void put_waits(void)
{
	put_all();
	/* futex, woken by two; read of a disk; preempted; a page; one from before. */
	put_wait(1, 10, 30,
		(struct profile_wait){
			.number = 202, .state = PROFILE_SLEEPS, .waker_pid = 5, .waker = "a" });
	put_wait(1, 10, 50,
		(struct profile_wait){
			.number = 202, .state = PROFILE_SLEEPS, .waker_pid = 6, .waker = "b" });
	put_wait(3, 10, 10,
		(struct profile_wait){
			.state = PROFILE_BLOCKS, .flags = PROFILE_WAIT_IO, .waker_state = 1 });
	put_wait(2, 11, 5,
		(struct profile_wait){
			.state = PROFILE_PREEMPTED, .call_state = 1, .waker_state = 1 });
	put_wait(2, 11, 3,
		(struct profile_wait){
			.state = PROFILE_BLOCKS, .call_state = 1, .waker_state = 1 });
	put_wait(0, 12, 2,
		(struct profile_wait){ .number = 7,
			.state = PROFILE_SLEEPS,
			.stack_state = 1,
			.flags = PROFILE_WAIT_OLD | PROFILE_WAIT_OPEN,
			.waker_state = 1 });
}

static void test_waits(void **state)
{
	struct profile_options stacks = { .of = PROFILE_OF_WAITS };
	const char *text;

	(void)state;
	put_waits();
	text = show_view("profile", "profile-waits", NULL, "text");
	assert_true(has(text, "6 waits, 100ms together, of 3 threads; whole stacks: 50.0 %"));
	assert_true(has(text, " 80.0 80.0ms     2  50.0ms main locks       futex work"));
	assert_true(has(text, "b (6)\n"));
	assert_true(
		has(text, " 10.0 10.0ms     1  10.0ms main disk        read  libother.so+0x1200"));
	assert_true(has(text, "  5.0 5.00ms     1  5.00ms hot  preempted   -     work"));
	assert_true(has(text, "  3.0 3.00ms     1  3.00ms hot  page fault  -     work"));
	assert_true(
		has(text, "  2.0 2.00ms     1  2.00ms hot  descriptors poll  [since before sooth"));
	text = show_view("profile", "profile-stacks", &stacks, "folded");
	assert_true(has(text, "demo;main;main;work;work;sys_read 80000\n"));
	assert_true(has(text, "demo;hot;[cut: return address is not in code];work 8000\n"));
	/* A profile of samples has none of them. */
	text = show_view("profile", "profile-table", NULL, "text");
	assert_true(has(text, "10 samples, 100ms of CPU time"));
}

/* A box has the reason of two thirds of its waiting; sleep is in the picture only if it is asked
 * for, or nothing else is there; code of the program is told from that of libraries. */
static void test_drawn_waits(void **state)
{
	struct profile_options drawn = { .of = PROFILE_OF_WAITS, .is_drawn = true };
	const struct profile_wait sleep = {
		.number = 35, .state = PROFILE_SLEEPS, .waker_state = 1
	};
	const char *text;

	(void)state;
	put_waits();
	put_wait(1, 10, 900, sleep);
	text = show_view("profile", "profile-stacks", &drawn, "json");
	assert_true(
		has(text, "\"frame\": \"work\",\n      \"kind\": \"program\",\n      \"reason\": "
			  "\"lock\",\n      \"is_own_code\": true"));
	assert_true(has(text,
		"\"frame\": \"sys_read\",\n      \"kind\": \"kernel\",\n      \"reason\": "
		"\"lock\",\n      \"is_own_code\": false"));
	assert_true(has(text, "\"reason\": \"disk\""));
	assert_true(has(text, "\"reason\": \"several reasons\""));
	assert_false(has(text, "\"sleep\""));
	assert_true(has(show_view("profile", "profile-stacks", &drawn, "flamegraph"),
		"left out: sleep, 1 wait, 900ms (sooth profile --off-cpu --flamegraph "
		"--with-sleep"));
	drawn.has_sleep = true;
	text = show_view("profile", "profile-stacks", &drawn, "json");
	assert_true(has(text, "\"waited_ns\": 980000000"));
	assert_true(has(text, "\"reason\": \"sleep\""));
}

static void test_drawn_sleep(void **state)
{
	struct profile_options drawn = { .of = PROFILE_OF_WAITS, .is_drawn = true };

	(void)state;
	put_all();
	put_wait(1, 10, 900,
		(struct profile_wait){ .number = 35, .state = PROFILE_SLEEPS, .waker_state = 1 });
	assert_true(has(
		show_view("profile", "profile-stacks", &drawn, "json"), "\"reason\": \"sleep\""));
}

static void put_chain_wait(
	uint32_t tid, uint64_t to_ms, uint64_t ms, uint32_t waker_tid, uint32_t stack)
{
	struct profile_wait w = { .record = { .time_ns = to_ms * 1000000,
					  .start_ticks = 7,
					  .pid = 10,
					  .tid = tid,
					  .kind = PROFILE_WAIT },
		.waited_ns = ms * 1000000,
		.stack = stack,
		.number = 202,
		.state = PROFILE_SLEEPS,
		.waker_pid = 10,
		.waker_tid = waker_tid,
		.waker_state = waker_tid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.process = "demo",
		.thread = "demo" };

	snprintf(w.waker, sizeof(w.waker), "t%u", waker_tid);
	snprintf(w.thread, sizeof(w.thread), "t%u", tid);
	RECORD_APPEND(&records, &w, NULL, 0);
}

/* 20 waits for 21, which waits for 22 most of that time; 22 for a clock. 23 waits for 21 when that
 * runs, 24 for a thread that is not observed. A wait of another time is no part of it. */
static void test_chains(void **state)
{
	const char *text;

	(void)state;
	put_all();
	put_chain_wait(20, 1100, 100, 21, 3);
	put_chain_wait(21, 1090, 60, 22, 1);
	put_chain_wait(21, 1010, 5, 24, 1);
	put_chain_wait(22, 1085, 50, 0, 1);
	put_chain_wait(22, 500, 400, 0, 3);
	put_chain_wait(23, 2000, 100, 21, 3);
	put_chain_wait(24, 2000, 10, 99, 3);
	text = show_view("profile", "wait-chains", NULL, "text");
	assert_true(has(text, " 100ms     1   100ms demo/t20: locks futex in libother.so+0x1200 < "
			      "demo/t21: locks futex in work < demo/t22: locks futex in work\n"));
	assert_true(has(text, " 100ms     1   100ms demo/t23: locks futex in libother.so+0x1200 < "
			      "t21: running\n"));
	assert_true(has(text, "10.0ms     1  10.0ms demo/t24: locks futex in libother.so+0x1200 < "
			      "t99: not observed\n"));
}

static void test_no_chains(void **state)
{
	(void)state;
	put_all();
	put_chain_wait(20, 1100, 100, 0, 3);
	assert_true(has(show_view("profile", "wait-chains", NULL, "text"),
		"no wait was ended by another thread"));
}

static void put_times(uint32_t tid, uint64_t running_ms, uint64_t sleeping_ms)
{
	struct sched_times t = { .record = { .time_ns = 3,
					 .start_ticks = 7,
					 .pid = 10,
					 .tid = tid,
					 .kind = SCHED_TIMES },
		.running_ns = running_ms * 1000000,
		.sleeping_ns = sleeping_ms * 1000000,
		.process = "demo",
		.thread = "demo" };

	RECORD_APPEND(&records, &t, NULL, 0);
}

/* Thread 10 has 70 ms of samples and 90 ms of waits; a thread without both, 13, is there too. */
static void test_wall(void **state)
{
	struct profile_options stacks = { .of = PROFILE_OF_WALL };
	const char *text;

	(void)state;
	put_waits();
	put_times(10, 35, 100);
	put_times(13, 4, 0);
	text = show_view("profile", "profile-wall", NULL, "text");
	assert_true(has(text, "4 threads, 179ms together: 38.5 % running, 55.9 % waiting, "
			      "5.6 % in short waits"));
	assert_true(has(text, " 44.7 80.0ms locks       demo    main futex work"));
	/* Six of its seven samples, of the time that was counted. */
	assert_true(has(text, " 16.8 30.0ms running     demo    main -     work"));
	assert_true(has(text, "  5.6 10.0ms short waits demo    main -     [short waits]"));
	assert_true(has(text, "  2.2 4.00ms running     demo    demo -     [not sampled]"));
	/* Its time was not counted: that of its samples stands for it. */
	assert_true(has(text, " 16.8 30.0ms running     demo    hot  -     work"));
	text = show_view("profile", "profile-stacks", &stacks, "folded");
	assert_true(has(text, "demo;main;main;work;work;sys_read 140000\n"));
}

static void test_wall_without_times(void **state)
{
	const char *text;

	(void)state;
	put_waits();
	text = show_view("profile", "profile-wall", NULL, "text");
	assert_true(has(text, "CPU time was not counted: it is estimated from samples"));
}

static void test_ends(void **state)
{
	const char *text;

	(void)state;
	put_all();
	text = show_view("profile", "profile-table", NULL, "json");
	assert_true(has(text, "\"end\": \"return address is not in code\",\n      \"samples\": 3"));
	assert_true(has(text, "\"end\": \"whole\",\n      \"samples\": 7"));
}

static void test_role(void **state)
{
	struct profile_options options = { .role = "hot" };

	(void)state;
	put_all();
	assert_true(has(show_view("profile", "profile-table", &options, "text"), "3 samples, "));
	assert_false(has(shown.data, "sys_read"));
}

static void test_folded(void **state)
{
	const char *text;

	(void)state;
	put_all();
	text = show_view("profile", "profile-stacks", NULL, "folded");
	assert_true(has(text, "demo;main;main;work;work;sys_read 6\n"));
	assert_true(has(text, "demo;main;main;libother.so+0x1200 1\n"));
	assert_true(has(text, "demo;hot;[cut: return address is not in code];work 3\n"));
}

/* --- pprof: the numbers of profile.proto --- */

struct field {
	uint64_t number, value; /* of bytes: the size */
	const unsigned char *bytes;
};

static uint64_t varint(const unsigned char **at, const unsigned char *end)
{
	uint64_t value = 0;

	for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
		unsigned char byte = *(*at)++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	fail();
	return 0;
}

static bool next_field(struct field *f, const unsigned char **at, const unsigned char *end)
{
	uint64_t key;

	if (*at >= end)
		return false;
	key = varint(at, end);
	f->number = key >> 3;
	f->value = varint(at, end);
	f->bytes = *at;
	assert_true((key & 7) == 0 || (key & 7) == 2);
	if ((key & 7) == 2) {
		assert_true(f->value <= (size_t)(end - *at));
		*at += f->value;
	}
	return true;
}

#define IDS 64

struct pprof {
	unsigned char bytes[4096];
	size_t size;
	struct field strings[64];
	uint64_t leads_to[2][IDS]; /* of locations, of functions */
	size_t string_count, sample_count;
	uint64_t samples, cpu_ns;
	char leaf[64]; /* of the largest sample */
	uint64_t most;
};

static void unpack(struct pprof *p)
{
	z_stream z = { .next_in = (void *)shown.data,
		.avail_in = (uInt)shown.size,
		.next_out = p->bytes,
		.avail_out = sizeof(p->bytes) };

	assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	p->size = z.total_out;
	inflateEnd(&z);
}

static void take_sample(struct pprof *p, const struct field *sample)
{
	const unsigned char *at = sample->bytes, *end = at + sample->value;
	uint64_t leaf = 0;
	struct field f;

	p->sample_count++;
	while (next_field(&f, &at, end)) {
		const unsigned char *packed = f.bytes;

		if (f.number == 1) {
			leaf = varint(&packed, f.bytes + f.value);
		} else {
			uint64_t samples = varint(&packed, f.bytes + f.value);

			p->samples += samples;
			p->cpu_ns += varint(&packed, f.bytes + f.value);
			if (samples > p->most) {
				uint64_t name = p->leads_to[1][p->leads_to[0][leaf]];

				p->most = samples;
				snprintf(p->leaf, sizeof(p->leaf), "%.*s",
					(int)p->strings[name].value, p->strings[name].bytes);
			}
		}
	}
}

/* A location leads to a function by its line, a function to its name. */
static void take_definition(struct pprof *p, const struct field *definition)
{
	const unsigned char *at = definition->bytes, *end = at + definition->value, *line;
	uint64_t id = 0, to = 0;
	struct field f, inner;

	while (next_field(&f, &at, end)) {
		if (f.number == 1)
			id = f.value;
		else if (f.number == 2 && definition->number == 5)
			to = f.value;
		else if (f.number == 4 && definition->number == 4)
			for (line = f.bytes; next_field(&inner, &line, f.bytes + f.value);)
				to = inner.number == 1 ? inner.value : to;
	}
	assert_true(id && id < IDS);
	p->leads_to[definition->number == 5][id] = to;
}

static void test_pprof(void **state)
{
	struct pprof p = { 0 };
	const unsigned char *at = p.bytes;
	struct field f;

	(void)state;
	put_all();
	show_view("profile", "profile-stacks", NULL, "pprof");
	unpack(&p);
	while (next_field(&f, &at, p.bytes + p.size)) {
		if (f.number == 6)
			p.strings[p.string_count++] = f;
	}
	assert_int_equal(p.strings[0].value, 0);
	for (at = p.bytes; next_field(&f, &at, p.bytes + p.size);) {
		if (f.number == 2)
			take_sample(&p, &f);
		else if (f.number == 4 || f.number == 5)
			take_definition(&p, &f);
	}
	assert_int_equal(p.sample_count, 3);
	assert_int_equal(p.samples, 10);
	assert_int_equal(p.cpu_ns, 100 * 1000 * 1000);
	assert_string_equal(p.leaf, "sys_read");
}

/* --- single samples, by thread and time: profile_samples --- */

static void put_sample_at(uint64_t time_ns, uint32_t stack, uint32_t tid)
{
	struct profile_sample s = { .record = { .time_ns = time_ns,
					    .start_ticks = 7,
					    .pid = 10,
					    .tid = tid,
					    .kind = PROFILE_SAMPLE },
		.stack = stack,
		.period_ns = 10000000,
		.process = "demo",
		.thread = "hot" };

	RECORD_APPEND(&records, &s, NULL, 0);
}

/* Two samples, 30 ms of none, a third; beside them one of another thread. */
static const char *show_samples(const char *format)
{
	static const uint32_t first[] = { 2, 1 }, second[] = { 3, 1 };

	put_stack(1, PROFILE_WHOLE, first, 2);
	put_stack(2, PROFILE_WHOLE, second, 2);
	put_sample_at(10000000, 1, 10);
	put_sample_at(20000000, 1, 10);
	put_sample_at(30000000, 2, 11);
	put_sample_at(60000000, 2, 10);
	put_frame(1, "main", "/bin/demo", PROFILE_USER);
	put_frame(2, "work", "/bin/demo", PROFILE_USER);
	put_frame(3, "read", "", PROFILE_KERNEL);
	return show_view("profile", "profile-samples", NULL, format);
}

static void test_speedscope(void **state)
{
	const char *text = show_samples("speedscope");

	(void)state;
	assert_true(json_check(text, strlen(text), 1));
	assert_true(has(text, "\"name\":\"demo (pid 10), hot (tid 10)\",\"unit\":\"nanoseconds\","
			      "\"startValue\":0,\"endValue\":60000000,"
			      "\"samples\":[[0,1],[0,1],[],[0,2]],"
			      "\"weights\":[10000000,10000000,30000000,10000000]"));
	assert_true(has(text, "\"samples\":[[],[0,2]],\"weights\":[20000000,10000000]"));
	assert_true(
		has(text, "\"frames\":[{\"name\":\"main\",\"file\":\"demo\"},{\"name\":\"work\","
			  "\"file\":\"demo\"},{\"name\":\"read\",\"file\":\"kernel\"}]"));
}

static void test_firefox(void **state)
{
	const char *text = show_samples("firefox");

	(void)state;
	assert_true(json_check(text, strlen(text), 1));
	assert_true(
		has(text, "\"name\":\"hot\",\"isMainThread\":true,\"pid\":\"10\",\"tid\":\"10\""));
	assert_true(has(text, "\"isMainThread\":false,\"pid\":\"10\",\"tid\":\"11\""));
	assert_true(has(text, "\"samples\":{\"length\":4,\"stack\":[1,1,null,2],"));
	assert_true(has(text, "\"threadCPUDelta\":[0,10000000,10000000,0]"));
	assert_true(has(text, "\"prefix\":[null,0,0],\"frame\":[0,1,2],\"category\":[2,2,4]"));
	assert_true(has(
		text, "\"stringArray\":[\"main\",\"demo\",\"work\",\"demo\",\"read\",\"kernel\"]"));
}

static void test_chrome(void **state)
{
	const char *text = show_samples("chrome");

	(void)state;
	assert_true(json_check(text, strlen(text), 1));
	assert_true(
		has(text, "\"samples\":[4,4,2,5,2]},\"timeDeltas\":[0,10000,10000,30000,10000]"));
	assert_true(has(text, "{\"id\":4,\"parent\":3,\"callFrame\":{\"functionName\":\"work\""));
	assert_true(
		has(text, "\"name\":\"sampled\",\"pid\":10,\"tid\":11,\"ts\":20000,\"dur\":10000"));
}

/* A strip for each thread: profile_heat. */
static void test_heat(void **state)
{
	const char *text;

	(void)state;
	put_sample_at(10000000, 1, 10);
	put_sample_at(20000000, 1, 10);
	put_sample_at(30000000, 2, 11);
	put_sample_at(60000000, 2, 10);
	text = show_view("profile", "profile-heat", NULL, "json");
	assert_true(has(text, "\"interval_ns\": 50000000"));
	/* The busier thread first: 10 ms before 20 ms, nothing for 30 ms, 10 ms. */
	assert_true(has(text, "\"tid\": 10"));
	assert_true(strstr(text, "\"tid\": 10") < strstr(text, "\"tid\": 11"));
	assert_true(has(text, "\"longest_idle_ns\": 30000000"));
	assert_true(has(text, "\"mean_percent\": 40.0"));
}

/* Stacks that are summed up: one thread, as wide as their weights. */
static void test_speedscope_of_sums(void **state)
{
	const char *text;

	(void)state;
	put_all();
	text = show_view("profile", "profile-stacks", NULL, "speedscope");
	assert_true(json_check(text, strlen(text), 1));
	assert_true(has(text, "\"unit\":\"none\",\"startValue\":0,\"endValue\":10,"));
	assert_true(has(text, "\"weights\":[6,1,3]"));
}

static void test_tree(void **state)
{
	struct profile_options options = { .folds_chains = true, .least_share = 0.15 };
	const char *text;

	(void)state;
	put_all();
	text = show_view("profile", "profile-stacks", &options, "text");
	assert_true(has(text, "work > work > sys_read"));
	assert_true(has(text, "[cut: return address is not in code] > work"));
	assert_false(has(text, "libother")); /* a tenth */
}

static const struct process_id demo = { .start_ticks = 7, .pid = 10 };

static void take_all(struct profile_sums *sums)
{
	struct batch batch = { records.data, records.size };

	profile_sums_init(sums);
	profile_sums_add_batch(sums, &batch);
}

/* The innermost function, and the innermost of user space; another process has none of them. */
static void test_hot(void **state)
{
	static const struct process_id other = { .start_ticks = 8, .pid = 10 };
	struct profile_sums sums;
	struct buffer hot = { 0 };
	const struct profile_hot *all;

	(void)state;
	buffer_reset(&records);
	put_all();
	take_all(&sums);
	assert_int_equal(profile_hot_functions(&sums, &demo, PROFILE_ON_TOP, &hot), 10);
	all = (const void *)hot.data;
	assert_int_equal(hot.size / sizeof(*all), 3);
	assert_true(span_equal(all[0].name, "sys_read"));
	assert_int_equal(all[0].samples, 6);
	buffer_reset(&hot);
	assert_int_equal(profile_hot_functions(&sums, &demo, PROFILE_IN_USER, &hot), 10);
	all = (const void *)hot.data;
	assert_int_equal(hot.size / sizeof(*all), 2);
	assert_true(span_equal(all[0].name, "work") && all[0].is_named);
	assert_int_equal(all[0].samples, 9);
	assert_int_equal(all[0].kernel_samples, 6);
	assert_false(all[1].is_named);
	buffer_reset(&hot);
	assert_int_equal(profile_hot_functions(&sums, &other, PROFILE_ON_TOP, &hot), 0);
	assert_int_equal(hot.size, 0);
	profile_sums_next_interval(&sums);
	assert_int_equal(profile_hot_functions(&sums, &demo, PROFILE_ON_TOP, &hot), 0);
	buffer_fini(&hot);
	profile_sums_fini(&sums);
}

/* The texts of a finding from these samples. */
static void test_spots(void **state)
{
	static const struct process_id other = { .start_ticks = 8, .pid = 10 };
	struct profile_sums sums;
	struct profile_spots spots = { 0 };

	(void)state;
	buffer_reset(&records);
	put_all();
	take_all(&sums);
	profile_spots(&sums, &demo, &spots);
	assert_string_equal(buffer_cstr(&spots.hottest), "work (demo)");
	assert_string_equal(
		buffer_cstr(&spots.of_hottest), "90 % of 10 samples, 60 % in the kernel");
	assert_string_equal(buffer_cstr(&spots.next), "libother.so+0x1200: 10 %");
	assert_int_equal(spots.within.size, 0);
	profile_spots_fini(&spots);
	put_samples(3, "demo", 10, 4);
	profile_sums_fini(&sums);
	take_all(&sums);
	profile_spots(&sums, &demo, &spots);
	assert_string_equal(
		buffer_cstr(&spots.of_hottest), "64 % of 14 samples, 43 % in the kernel");
	assert_string_equal(buffer_cstr(&spots.within), "main (demo)");
	assert_string_equal(buffer_cstr(&spots.of_within), "on 100 % of 11 whole stacks");
	profile_spots_fini(&spots);
	profile_spots(&sums, &other, &spots);
	assert_int_equal(spots.hottest.size + spots.next.size + spots.within.size, 0);
	profile_spots_fini(&spots);
	profile_sums_fini(&sums);
}

/* The hottest function is what all have: it is named once. Entries of threads say nothing. */
static void test_spots_without_caller(void **state)
{
	static const uint32_t loop[] = { 1, 2 }, first[] = { 3, 2 }, second[] = { 4, 2 };
	struct profile_sums sums;
	struct profile_spots spots = { 0 };

	(void)state;
	buffer_reset(&records);
	put_stack(1, PROFILE_WHOLE, loop, 2);
	put_stack(2, PROFILE_WHOLE, first, 2);
	put_stack(3, PROFILE_WHOLE, second, 2);
	put_samples(1, "demo", 10, 95);
	put_samples(2, "demo", 10, 3);
	put_samples(3, "demo", 10, 2);
	put_frame(1, "loop", "/bin/demo", PROFILE_USER);
	put_frame(2, "start_thread", "/lib/libc.so.6", PROFILE_USER);
	put_frame(3, "one", "/bin/demo", PROFILE_USER);
	put_frame(4, "two", "/bin/demo", PROFILE_USER);
	take_all(&sums);
	profile_spots(&sums, &demo, &spots);
	assert_string_equal(buffer_cstr(&spots.hottest), "loop (demo)");
	assert_int_equal(spots.next.size, 0);
	assert_int_equal(spots.within.size, 0);
	profile_spots_fini(&spots);
	profile_sums_next_interval(&sums);
	profile_sums_fini(&sums);
	buffer_reset(&records);
	put_stack(1, PROFILE_WHOLE, loop, 2);
	put_stack(2, PROFILE_WHOLE, first, 2);
	put_samples(1, "demo", 10, 50);
	put_samples(2, "demo", 10, 50);
	put_frame(1, "loop", "/bin/demo", PROFILE_USER);
	put_frame(2, "start_thread", "/lib/libc.so.6", PROFILE_USER);
	put_frame(3, "one", "/bin/demo", PROFILE_USER);
	take_all(&sums);
	profile_spots(&sums, &demo, &spots);
	assert_int_equal(spots.within.size, 0);
	assert_string_equal(buffer_cstr(&spots.next), "one (demo): 50 %");
	profile_spots_fini(&spots);
	profile_sums_fini(&sums);
}

/* `count` of 100 samples are in this function, below one that shows nothing. */
static size_t match(const char *function, const char *thread, int count,
	struct profile_match found[PROFILE_PATTERNS_MAX])
{
	static const uint32_t first[] = { 2, 1 }, second[] = { 1 };
	struct profile_sums sums;
	size_t matches;

	buffer_reset(&records);
	put_frame(1, "main", "/bin/demo", PROFILE_USER);
	put_frame(2, function, "/bin/demo", PROFILE_USER);
	put_stack(1, PROFILE_WHOLE, first, 2);
	put_stack(2, PROFILE_WHOLE, second, 1);
	put_samples(1, thread, 11, count);
	put_samples(2, "demo", 10, 100 - count);
	take_all(&sums);
	matches = profile_patterns_match(&sums, &demo, found);
	profile_sums_fini(&sums);
	return matches;
}

static void test_patterns(void **state)
{
	static const struct {
		const char *function, *thread, *id; /* id NULL: none */
		int count;
	} rows[] = {
		{ "inotify_read", "demo", "file-watcher-activity", 10 },
		{ "inotify_read", "demo", NULL, 9 },
		{ "do_epoll_wait", "demo", "event-loop-spin", 30 },
		{ "do_epoll_wait", "demo", NULL, 29 },
		{ "vfs_statx", "demo", "polling-storm", 30 },
		{ "vfs_statx", "demo", NULL, 29 },
		{ "v8::internal::MarkCompactCollector::Sweep", "demo", "gc-pressure", 20 },
		{ "v8::internal::MarkCompactCollector::Sweep", "demo", NULL, 19 },
		{ "run", "HeapHelper", "gc-pressure", 20 }, /* by its thread */
		{ "sha256_block_data_order_avx2", "demo", "crypto-activity", 10 },
		{ "sha256_block_data_order_avx2", "demo", NULL, 9 },
		{ "parse", "demo", NULL, 99 },
	};
	struct profile_match found[PROFILE_PATTERNS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t matches = match(rows[i].function, rows[i].thread, rows[i].count, found);

		assert_int_equal(matches, rows[i].id ? 1 : 0);
		if (rows[i].id)
			assert_string_equal(found[0].pattern->id, rows[i].id);
	}
	buffer_reset(&records);
}

static void put_calls(uint32_t number, uint32_t stack, int count)
{
	struct profile_call c = { .record = { .time_ns = 2,
					  .start_ticks = 7,
					  .pid = 10,
					  .tid = 10,
					  .kind = PROFILE_CALL },
		.stack = stack,
		.number = number,
		.process = "demo",
		.thread = "demo" };

	for (int i = 0; i < count; i++)
		RECORD_APPEND(&records, &c, NULL, 0);
}

/* Calls by their number of all stacks, stacks of each by theirs; samples of the CPU are none. */
static void test_calls(void **state)
{
	const struct call_stacks_options some = { .set = "read" };
	static const uint32_t same[] = { 3, 6 };
	const char *text;

	(void)state;
	put_all();
	put_calls(1, 1, 3); /* write */
	put_calls(0, 3, 2); /* read */
	put_stack(4, PROFILE_WHOLE, same, 2);
	put_frame(6, "main", "/bin/demo", PROFILE_USER);
	put_calls(0, 4, 1); /* from another place in the same functions */
	put_calls(0, 2, 1);
	put_calls(0, 1, 1);
	text = show_view("trace", "call-stacks", NULL, "text");
	assert_non_null(strstr(text, "read      3   60.0 libother.so+0x1200 < main\n"));
	assert_non_null(
		strstr(text, "read      1   20.0 work < [cut: return address is not in code]"));
	assert_non_null(strstr(text, "write     3  100.0 sys_read < work < work < main\n"));
	assert_true(strstr(text, "read ") < strstr(text, "write "));
	text = show_view("trace", "call-stacks", NULL, "json");
	assert_non_null(strstr(text, "\"libother.so+0x1200\",\n        \"main\"\n      ]"));
	assert_non_null(strstr(text, "\"functions\": [\n        \"work\"\n      ]"));
	text = show_view("trace", "call-stacks", &some, "text");
	assert_non_null(strstr(text, "read "));
	assert_null(strstr(text, "write "));
}

static void test_no_calls(void **state)
{
	(void)state;
	put_all();
	assert_non_null(strstr(show_view("trace", "call-stacks", NULL, "text"),
		"no stack of a selected call was recorded"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_functions), TEST(test_by_total),
		TEST(test_no_symbols), TEST(test_waits), TEST(test_drawn_waits),
		TEST(test_drawn_sleep), TEST(test_chains), TEST(test_no_chains), TEST(test_wall),
		TEST(test_wall_without_times), TEST(test_ends), TEST(test_role), TEST(test_folded),
		TEST(test_pprof), TEST(test_speedscope), TEST(test_firefox), TEST(test_chrome),
		TEST(test_heat), TEST(test_speedscope_of_sums), TEST(test_tree), TEST(test_hot),
		TEST(test_spots), TEST(test_spots_without_caller), TEST(test_patterns),
		TEST(test_calls), TEST(test_no_calls) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
