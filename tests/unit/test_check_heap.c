/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings about a process and its allocator: heap-leak, double-free,
 * invalid-free, each on both sides of its thresholds.
 */
#include "check_records.h"

#include "bpf/log2.h"
#include "probes/heap.h"
#include "probes/profile.h"

#define MIB	   (1 << 20)
#define INTERVAL_S 4

static void put_names(void)
{
	static const uint32_t frames[] = { 1, 2, 3 };
	static const char *const names[] = { "malloc", "makes", "main" };
	struct profile_stack d = {
		.record = head_of(LOOKS, 0, HEAP_STACK), .stack = 1, .end = PROFILE_WHOLE
	};
	struct record_tail tail[] = { { &d.frames, frames, sizeof(frames) } };

	RECORD_APPEND(&records, &d, tail, 1);
	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct profile_frame f = { .record = head_of(LOOKS, 0, HEAP_FRAME),
			.frame = i + 1,
			.frame_kind = PROFILE_USER,
			.build_id_state = SOOTH_STATE_ABSENT };
		struct record_tail texts[] = { put_text(&f.function, names[i]),
			put_text(&f.file, "/bin/thing") };

		RECORD_APPEND(&records, &f, texts, 2);
	}
}

struct made {
	double calls, size;
	double freed, shortly; /* of these */
	uint32_t program, sample_bytes;
};

/* Over INTERVAL_S, by one stack. */
static void allocates(struct made m)
{
	struct heap_sum s = { .record = head_of(1 + INTERVAL_S, PID, HEAP_SUM),
		.from_ns = at(1),
		.calls = (uint64_t)m.calls,
		.allocated_bytes = (uint64_t)(m.calls * m.size),
		.freed_blocks = (uint64_t)m.freed,
		.freed_bytes = (uint64_t)(m.freed * m.size),
		.short_blocks = (uint64_t)m.shortly,
		.short_bytes = (uint64_t)(m.shortly * m.size),
		.program = m.program ? m.program : 1,
		.size_class = size_class_of((uint64_t)m.size),
		.stack = 1,
		.sample_bytes = m.sample_bytes };

	RECORD_APPEND(&records, &s, NULL, 0);
}

static void begin_heap(void)
{
	is_there();
	add_source("heap");
	put_names();
}

static void sampled(double blocks)
{
	begin_heap();
	allocates((struct made){ .calls = blocks, .size = 176, .sample_bytes = 4096 });
}

static void frees_badly(uint8_t what, double count)
{
	begin_heap();
	allocates((struct made){ .calls = 10, .size = 100, .freed = 10 });
	for (int i = 0; i < count; i++) {
		struct heap_bad_free bad = { .record = head_of(2 + i, PID, HEAP_BAD_FREE),
			.address = 0x1000,
			.size = 100,
			.freed_ago_ns = 5000,
			.stack = 1,
			.what = what,
			.block_state =
				what == HEAP_FREED_TWICE ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };

		bad.record.tid = PID;
		RECORD_APPEND(&records, &bad, NULL, 0);
	}
}

static void frees_twice(double count)
{
	frees_badly(HEAP_FREED_TWICE, count);
}

static void frees_stack(double count)
{
	frees_badly(HEAP_FREED_STACK, count);
}

static void frees_inside(double count)
{
	frees_badly(HEAP_FREED_INSIDE, count);
}

static void misses(double ignored)
{
	struct heap_gap gap = { .record = head_of(2, PID, HEAP_GAP), .from_ns = at(1) };

	(void)ignored;
	begin_heap();
	allocates((struct made){ .calls = 10, .size = 100, .freed = 10 });
	RECORD_APPEND(&records, &gap, NULL, 0);
}

/* In each window of 0.5 s. */
static void gains(const double *bytes, size_t count, uint64_t older_freed)
{
	struct heap_held held = { .record = head_of(1 + INTERVAL_S, PID, HEAP_HELD),
		.frees_unknown = older_freed,
		.program = 1 };

	begin_heap();
	for (size_t i = 0; i < count; i++) {
		double to_s = 1 + 0.5 * (double)(i + 1);
		struct heap_sum s = { .record = head_of(to_s, PID, HEAP_SUM),
			.from_ns = at(to_s - 0.5),
			.calls = 1000,
			.allocated_bytes = 1 << 30,
			.freed_blocks = bytes[i] > 0 ? 900 : 1000,
			.freed_bytes = (uint64_t)((1 << 30) - bytes[i]),
			.program = 1,
			.stack = 1 };

		RECORD_APPEND(&records, &s, NULL, 0);
	}
	RECORD_APPEND(&records, &held, NULL, 0);
}

static void leaks(double bytes_per_s)
{
	double each = bytes_per_s / 2;
	double bytes[8] = { each, each, each, each, each, each, each, each };

	gains(bytes, ARRAY_SIZE(bytes), 0);
}

/* Full, and each new block takes the place of one of before. */
static void replaces(double older_freed)
{
	double bytes[8] = { MIB, MIB, MIB, MIB, MIB, MIB, MIB, MIB };

	gains(bytes, ARRAY_SIZE(bytes), (uint64_t)older_freed);
}

static void fills_up(double ignored)
{
	double bytes[8] = { 64 * MIB, 32 * MIB, 16 * MIB, 8 * MIB, 4 * MIB, 2 * MIB, MIB, MIB / 2 };

	(void)ignored;
	gains(bytes, ARRAY_SIZE(bytes), 0);
}

/* Nothing is recorded after 2 s. */
static void fills_up_and_rests(double ignored)
{
	double bytes[4] = { MIB, MIB, MIB, MIB };

	(void)ignored;
	gains(bytes, ARRAY_SIZE(bytes), 0);
}

static void saws(double ignored)
{
	double bytes[8] = { MIB, MIB, -2 * MIB, MIB, MIB, -2 * MIB, MIB, MIB };

	(void)ignored;
	gains(bytes, ARRAY_SIZE(bytes), 0);
}

static void allocates_nothing(double ignored)
{
	(void)ignored;
	begin_heap();
}

static void test_each(void **state)
{
	static const struct check_case cases[] = {
		{ "heap-leak", leaks, 33000, "heap-leak.min-gain=1000",
			"medium/low: keeps 32.2 KiB more from malloc each second" },
		{ "heap-leak", leaks, 32000, "heap-leak.min-gain=1000",
			"fine: keeps 31.3 KiB more each second" },
		{ "heap-leak", leaks, 330000, NULL,
			"|most of it in: makes (thing) < main (100 %)" },
		{ "heap-leak", leaks, 270000, NULL, "fine: keeps 264 KiB" },
		{ "heap-leak", leaks, 1e6, "heap-leak.min-time=6s",
			"blind: its allocations cover too short a time" },
		{ "heap-leak", leaks, 1e6, "heap-leak.min-age=3000s",
			"blind: this check needs a process older than" },
		{ "heap-leak", replaces, 300, NULL, "medium/low: keeps" },
		{ "heap-leak", replaces, 400, NULL, "fine: keeps 700 more blocks, and freed 400" },
		{ "heap-leak", fills_up, 0, NULL,
			"=fine: no code keeps more memory all the time\n" },
		{ "heap-leak", fills_up_and_rests, 0, NULL,
			"=fine: no code keeps more memory all the time\n" },
		{ "heap-leak", saws, 0, NULL, "=fine: no code keeps more memory all the time\n" },
		{ "heap-leak", sampled, 1e6, NULL, "blind: the allocations are samples" },
		{ "heap-leak", allocates_nothing, 0, NULL,
			"=fine: all memory allocated during the observation was freed\n" },
		{ "double-free", frees_twice, 1, NULL,
			"high/high: frees memory twice: in makes (thing) < main" },
		{ "double-free", frees_twice, 3, NULL, "|blocks freed twice: 3" },
		{ "double-free", frees_twice, 1, NULL,
			"|first of them: 100B at 0x1000, by thread 99, 5.00us after it was freed" },
		{ "double-free", frees_twice, 0, NULL, "=fine: no block was freed twice\n" },
		{ "double-free", frees_twice, 2, "double-free.min-count=3",
			"fine: no block was freed" },
		{ "double-free", frees_stack, 2, NULL, "=fine: no block was freed twice\n" },
		{ "invalid-free", frees_stack, 1, NULL,
			"high/high: frees a variable on the stack: in makes (thing) < main" },
		{ "invalid-free", frees_inside, 2, NULL,
			"|frees an address where no block begins: in makes (thing) < main" },
		{ "invalid-free", frees_twice, 1, NULL, "=fine: no invalid free\n" },
		{ "invalid-free", replaces, 0, NULL, "=fine: no invalid free\n" },
		{ "invalid-free", replaces, 1, NULL,
			"blind: it freed blocks whose allocation was not seen" },
		{ "invalid-free", sampled, 10, NULL,
			"blind: only samples of its blocks are known" },
		{ "invalid-free", misses, 1, NULL,
			"blind: allocator calls of a library that was just loaded were missed" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- the code behind a growth of resident memory --- */

/* 20 MB more are resident after five seconds, and that many kilobytes of each 100 ms are kept. */
static void keeps(double kilobytes)
{
	begin_stream();
	put_names();
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .rss_bytes = (100 + 4 * (uint64_t)i) * MIB },
			"thing");
		all_reported(i);
	}
	for (int i = 0; i < 40; i++) {
		struct heap_sum s = { .record = head_of(1 + 0.1 * (i + 1), PID, HEAP_SUM),
			.from_ns = at(1 + 0.1 * i),
			.calls = 20,
			.allocated_bytes = (uint64_t)(kilobytes * 1024),
			.program = 1,
			.size_class = 10,
			.stack = 1 };

		RECORD_APPEND(&records, &s, NULL, 0);
	}
}

/* As many blocks of before were freed meanwhile. */
static void keeps_and_frees(double blocks)
{
	struct heap_held held = { .record = head_of(5, PID, HEAP_HELD),
		.program = 1,
		.frees_unknown = (uint64_t)blocks };

	keeps(400);
	RECORD_APPEND(&records, &held, NULL, 0);
}

static void test_keeper(void **state)
{
	static const struct check_case cases[] = {
		{ "memory-growth", keeps, 400, NULL,
			"medium/medium: memory grows: 20.0 MiB more in 5 s, most of it kept by "
			"makes "
			"(thing)|[kept by: makes (thing) < main (" },
		{ "memory-growth", keeps, 180, NULL,
			"medium/medium: memory grows: 20.0 MiB more in 5 s, much of it kept by "
			"makes" },
		{ "memory-growth", keeps, 100, NULL,
			"medium/medium: memory grows: 20.0 MiB more in 5 s [" },
		{ "memory-growth", keeps_and_frees, 100, NULL,
			"medium/medium: memory grows: 20.0 MiB more in 5 s, most of it kept by "
			"makes" },
		{ "memory-growth", keeps_and_frees, 800, NULL,
			"medium/medium: memory grows: 20.0 MiB more in 5 s [" },
	};

	(void)state;
	TRY_CASES(cases);
}

static const char *const ids[] = { "heap-leak", "double-free", "invalid-free" };

/* A recording of single calls claims nothing either. */
static void test_single_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct heap_call call = { .record = head_of(2, PID, HEAP_CALL), .size = 100 };

		begin_stream();
		begin_heap();
		RECORD_APPEND(&records, &call, NULL, 0);
		assert_non_null(strstr(check_says(ids[i], PID, NULL), "recorded one by one"));
		/* Beside sums they change nothing. */
		allocates((struct made){ .calls = 10, .size = 176 });
		assert_null(strstr(check_says(ids[i], PID, NULL), "recorded one by one"));
	}
}

/* Where allocations were not observed nothing is claimed. */
static void test_not_observed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		begin_stream();
		is_there();
		assert_non_null(strstr(check_says(ids[i], PID, NULL), "which was not recorded"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_keeper),
		cmocka_unit_test(test_single_calls),
		cmocka_unit_test(test_not_observed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
