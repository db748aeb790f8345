/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw events and tallies give the same rows: the same random calls, once as
 * single records, once as the tallies a backend would have made of them, cut
 * into any windows, give the same bytes in every format.
 */
#include "support.h"

#include "analyze/calls/syscall_sums.h"
#include "base/units.h"
#include "bpf/aggregate.h"
#include "explain/report.h"
#include "json_check.h"
#include "probes/pause.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

#define CALLS	3000
#define NUMBERS 40
#define ERRORS	6
#define UNSEEN	SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN)

static const int64_t results[ERRORS] = { 0, 17, -2, -11, -512, -4096 };

struct one_call {
	uint32_t number, tid;
	uint16_t abi;
	int64_t result;
	uint64_t duration_ns;
	bool never_returns, is_unseen; /* its begin */
};

static void make_calls(struct one_call calls[CALLS], uint64_t seed)
{
	for (size_t i = 0; i < CALLS; i++)
		calls[i] = (struct one_call){
			.number = (uint32_t)random_below(&seed, NUMBERS),
			.tid = (uint32_t)random_below(&seed, 5),
			.abi = (uint16_t)random_below(&seed, SYSCALL_ABI_COUNT),
			.result = results[random_below(&seed, ERRORS)],
			.duration_ns = random_next(&seed) >> 20 >> random_below(&seed, 44),
			.never_returns = random_below(&seed, 100) == 0,
			.is_unseen = random_below(&seed, 50) == 0,
		};
}

static struct sooth_record head(uint16_t kind, uint64_t time_ns, uint32_t tid)
{
	return (struct sooth_record){
		.time_ns = time_ns, .pid = 100 + tid / 2, .tid = tid, .start_ticks = 5, .kind = kind
	};
}

static void as_events(struct buffer *out, const struct one_call *calls)
{
	for (size_t i = 0; i < CALLS; i++) {
		const struct one_call *c = &calls[i];
		struct syscalls_call r = { .record = head(SYSCALLS_CALL, 100 + i, c->tid),
			.number = c->number,
			.abi = c->abi,
			.result = c->result,
			.duration_ns = c->duration_ns,
			.path_state = SOOTH_STATE_ABSENT,
			.result_state = c->never_returns ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
			.duration_state = c->is_unseen ? UNSEEN : SOOTH_STATE_VALUE };

		RECORD_APPEND(out, &r, NULL, 0);
	}
}

static void count_into(struct syscalls_count *count, const struct one_call *c)
{
	unsigned bucket = 0;
	const struct syscall_row *row = syscall_by_number(c->abi, c->number);

	if (c->never_returns && (!row || strncmp(row->name, "exit", 4) != 0)) {
		count->unfinished++;
		return;
	}
	count->count++;
	if (c->never_returns || c->is_unseen)
		count->untimed++;
	if (c->never_returns)
		return;
	count->errors += c->result < 0 && c->result >= -4095;
	if (c->is_unseen)
		return;
	count->total_ns += c->duration_ns;
	if (c->duration_ns > count->max_ns)
		count->max_ns = c->duration_ns;
	while (bucket < SYSCALLS_BUCKETS - 1 && c->duration_ns >> (bucket + 1))
		bucket++;
	count->histogram[bucket]++;
}

/* The tallies of a window: by thread, ABI, number, and error. */
static void one_window(
	struct buffer *out, const struct one_call *calls, size_t count, uint64_t end_ns)
{
	for (uint32_t tid = 0; tid < 5; tid++) {
		for (uint32_t key = 0; key < SYSCALL_ABI_COUNT * NUMBERS; key++) {
			struct syscalls_count sum = { .record = head(SYSCALLS_COUNT, end_ns, tid),
				.abi = key / NUMBERS,
				.number = key % NUMBERS };
			struct syscalls_error errors[ERRORS] = { 0 };

			for (size_t i = 0; i < count; i++) {
				const struct one_call *c = &calls[i];

				if (c->tid != tid || c->abi != sum.abi || c->number != sum.number)
					continue;
				count_into(&sum, c);
				for (size_t e = 0; e < ERRORS; e++)
					errors[e].count +=
						!c->never_returns && c->result == results[e];
			}
			if (sum.count || sum.unfinished)
				RECORD_APPEND(out, &sum, NULL, 0);
			for (size_t e = 0; e < ERRORS; e++) {
				if (!errors[e].count || results[e] >= 0 || results[e] < -4095)
					continue;
				errors[e].record = head(SYSCALLS_ERROR, end_ns, tid);
				errors[e].number = sum.number;
				errors[e].abi = sum.abi;
				errors[e].error = (uint32_t)-results[e];
				RECORD_APPEND(out, &errors[e], NULL, 0);
			}
		}
	}
}

static void as_aggregates(struct buffer *out, const struct one_call *calls, size_t windows)
{
	size_t each = CALLS / windows;

	for (size_t i = 0; i < windows; i++)
		one_window(
			out, calls + i * each, i + 1 == windows ? CALLS - i * each : each, 100 + i);
}

static void shown(struct text *text, const char *format, const struct buffer *records)
{
	struct sooth_sink_options options = { .size = sizeof(options) };
	struct block block = block_of(records, BLOCK_RECORDS, 0);
	struct sooth_report *r;
	struct sooth_error err;

	/* The interval differs on purpose: no begin, so there is none. */
	text_open(text);
	options.stream = text->stream;
	assert_int_equal(sooth_report_new(&r, "trace", &err), 0);
	assert_int_equal(sooth_report_add_view(r, "syscall-table", NULL, &err), 0);
	assert_int_equal(sooth_report_add_sink(r, format, &options, &err), 0);
	assert_int_equal(report_block(r, &block, &err), 0);
	assert_int_equal(sooth_report_finish(r, &err), 0);
	sooth_report_free(r);
	text_close(text);
}

static void test_same_rows(void **state)
{
	static const char *const formats[] = { "table", "json", "jsonl" };
	static const size_t windows[] = { 1, 7 };
	struct one_call *calls = calloc(CALLS, sizeof(*calls));

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		make_calls(calls, seed);
		for (size_t w = 0; w < ARRAY_SIZE(windows); w++) {
			struct buffer events = { 0 }, aggregates = { 0 };

			as_events(&events, calls);
			as_aggregates(&aggregates, calls, windows[w]);
			for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
				struct text a, b;

				shown(&a, formats[i], &events);
				shown(&b, formats[i], &aggregates);
				assert_true(a.size > 1000);
				assert_same_text(a.data, b.data);
				text_free(&a);
				text_free(&b);
			}
			buffer_fini(&events);
			buffer_fini(&aggregates);
		}
	}
	free(calls);
}

static void add_count(struct buffer *out, uint32_t number, struct syscalls_count c)
{
	c.record = head(SYSCALLS_COUNT, 5, 1);
	c.number = number;
	RECORD_APPEND(out, &c, NULL, 0);
}

/* Order, mean, names and what is said of a call that never returned. */
static void test_rows(void **state)
{
	struct buffer records = { 0 };
	struct syscalls_error error = { .record = head(SYSCALLS_ERROR, 6, 1),
		.number = 0,
		.abi = SYSCALL_ABI_I386,
		.count = 3,
		.error = 2 };
	struct text json;

	(void)state;
	add_count(&records, 1,
		(struct syscalls_count){ .count = 2,
			.total_ns = 11,
			.max_ns = 9,
			.histogram = { [1] = 1, [3] = 1 } });
	add_count(&records, 0,
		(struct syscalls_count){ .count = 4,
			.total_ns = 100,
			.errors = 3,
			.max_ns = 40,
			.histogram = { [4] = 4 } });
	add_count(&records, 231, (struct syscalls_count){ .count = 1 });
	add_count(&records, 9999, (struct syscalls_count){ .count = 1, .unfinished = 1 });
	RECORD_APPEND(&records, &error, NULL, 0);
	shown(&json, "json", &records);
	assert_true(json_check(json.data, json.size, 1));
	assert_true(strstr(json.data, "\"read\"") < strstr(json.data, "\"write\""));
	assert_true(strstr(json.data, "\"write\"") < strstr(json.data, "\"exit_group\""));
	assert_true(has(json.data, "\"name\": \"syscall_9999\""));
	assert_true(has(json.data, "\"mean_ns\": 25"));
	assert_true(has(json.data, "\"mean_ns\": 5,"));
	assert_true(has(json.data, "\"mean_ns\": null"));
	assert_true(has(json.data, "\"name\": \"i386:restart_syscall\""));
	assert_true(has(json.data, "\"error\": \"ENOENT\""));
	text_free(&json);
	shown(&json, "table", &records);
	assert_true(has(json.data, "exit_group"));
	text_free(&json);
	buffer_fini(&records);
}

/* An untimed call is in the count, and in no value of time. */
static void test_unseen(void **state)
{
	struct buffer records = { 0 };
	struct text text;

	(void)state;
	add_count(&records, 0,
		(struct syscalls_count){ .count = 5,
			.untimed = 2,
			.total_ns = 90,
			.max_ns = 40,
			.histogram = { [4] = 3 } });
	add_count(&records, 7, (struct syscalls_count){ .count = 3, .untimed = 3 });
	add_count(&records, 231, (struct syscalls_count){ .count = 1, .untimed = 1 });
	shown(&text, "json", &records);
	assert_true(json_check(text.data, text.size, 1));
	assert_true(has(text.data, "\"mean_ns\": 30,"));
	assert_true(has(text.data, "\"untimed\": 2,\n      \"total_ns\": 90,"));
	assert_true(has(text.data, "\"untimed\": 3,\n      \"total_ns\": null,"));
	assert_true(has(text.data, "\"max_ns\": \"entered before attach\""));
	assert_true(has(text.data, "\"what\": \"time of 5 calls\""));
	text_free(&text);
	shown(&text, "table", &records);
	assert_true(has(text.data, "? = unknown: entered before attach"));
	text_free(&text);
	buffer_fini(&records);
}

/* It ends before `untimed`, and nothing of a call without an end was timed then. */
static void test_older_capture(void **state)
{
	struct syscalls_count exit = {
		.record = head(SYSCALLS_COUNT, 5, 1), .number = 231, .count = 1, .untimed = 77
	};
	struct syscalls_count read = { .record = head(SYSCALLS_COUNT, 5, 1),
		.count = 2,
		.total_ns = 50,
		.max_ns = 30,
		.histogram = { [4] = 2 },
		.untimed = 77 };
	struct buffer records = { 0 };
	struct text text;

	(void)state;
	exit.record.words = exit.record.fixed_words = SYSCALLS_COUNT_LEAST / SOOTH_RECORD_WORD;
	read.record.words = read.record.fixed_words = SYSCALLS_COUNT_LEAST / SOOTH_RECORD_WORD;
	buffer_append(&records, &exit, SYSCALLS_COUNT_LEAST);
	buffer_append(&records, &read, SYSCALLS_COUNT_LEAST);
	shown(&text, "json", &records);
	assert_true(json_check(text.data, text.size, 1));
	assert_true(has(text.data, "\"mean_ns\": 25,"));
	assert_true(has(text.data, "\"total_ns\": null,"));
	assert_false(has(text.data, "77"));
	assert_false(has(text.data, "begin was not seen"));
	text_free(&text);
	buffer_fini(&records);
}

static void test_nothing(void **state)
{
	struct buffer none = { 0 };
	struct text text;

	(void)state;
	shown(&text, "table", &none);
	assert_true(has(text.data, "no system calls were made"));
	text_free(&text);
	shown(&text, "json", &none);
	assert_true(has(text.data, "\"syscalls\": []"));
	text_free(&text);
}

static void add_uring(struct buffer *out, uint32_t opcode, uint32_t tid, uint64_t count)
{
	struct syscalls_uring u = {
		.record = head(SYSCALLS_URING, 7, tid), .opcode = opcode, .count = count
	};

	RECORD_APPEND(out, &u, NULL, 0);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Against what sorting tells: less than twice off, in order, never over the longest. */
static void check_percentiles(uint64_t *ns, size_t count)
{
	struct aggregate_slot slot = { 0 };
	uint64_t before = 0;

	qsort(ns, count, sizeof(*ns), by_size);
	for (size_t i = 0; i < count; i++)
		aggregate_slot_add(&slot, 0, ns[i]);
	for (unsigned percent = 1; percent <= 100; percent++) {
		uint64_t truth = ns[(count * percent + 99) / 100 - 1];
		uint64_t told = call_percentile(slot.histogram, slot.max_ns, percent);

		assert_true(told >= before && told <= slot.max_ns);
		assert_true(truth < 2 || (told <= 2 * truth && 2 * told >= truth));
		if ((count * percent + 99) / 100 == count)
			assert_int_equal(told, slot.max_ns);
		before = told;
	}
}

static void test_percentiles(void **state)
{
	uint64_t ns[700], mean = 0;
	uint32_t histogram[SYSCALLS_BUCKETS] = { 0 };

	(void)state;
	srandom(7);
	for (unsigned round = 0; round < 300; round++) {
		size_t count = 1 + (size_t)random() % ARRAY_SIZE(ns);
		uint64_t least = (uint64_t)random() % 5000;
		unsigned spread = (unsigned)random() % 30;

		for (size_t i = 0; i < count; i++)
			ns[i] = least + ((uint64_t)random() & ((1u << spread) - 1));
		check_percentiles(ns, count);
	}
	/* Where calls are spread evenly the half of them is near the mean, not twice that. */
	for (size_t i = 0; i < 500; i++) {
		ns[i] = 1025 + 2 * i;
		mean += ns[i];
		histogram[aggregate_bucket(ns[i])]++;
	}
	mean /= 500;
	assert_in_range(call_percentile(histogram, ns[499], 50), mean - 40, mean + 40);
	/* All that took longer than the slots go. */
	histogram[SYSCALLS_BUCKETS - 1] = 5000;
	assert_in_range(call_percentile(histogram, 1ull << 40, 99), 1ull << 31, 1ull << 40);
	memset(histogram, 0, sizeof(histogram));
	assert_int_equal(call_percentile(histogram, 0, 50), 0);
}

/* Several threads together, the most first; an operation without a name yet is its number. */
static void test_urings(void **state)
{
	struct buffer records = { 0 };
	struct text text;

	(void)state;
	add_uring(&records, 22, 1, 5);
	add_uring(&records, 22, 2, 7);
	add_uring(&records, 90, 1, 100);
	add_uring(&records, 0xffffffff, 1, 1);
	shown(&text, "json", &records);
	assert_true(json_check(text.data, text.size, 1));
	assert_true(has(text.data, "\"opcode\": \"READ\",\n      \"count\": 12"));
	assert_true(strstr(text.data, "\"count\": 100") < strstr(text.data, "READ"));
	text_free(&text);
	shown(&text, "table", &records);
	assert_true(has(text.data, "io_uring requests: their effects"));
	assert_true(has(text.data, "READ "));
	text_free(&text);
	buffer_fini(&records);
}

static void add_hold(struct buffer *out, uint64_t asked_ns, uint64_t stopped_ns, uint64_t lost)
{
	struct pause_event h = { .record = head(SYSCALLS_PAUSE, asked_ns + 1000, 0),
		.asked_ns = asked_ns,
		.stopped_ns = stopped_ns,
		.reserve_ns = 100,
		.threads = 1,
		.lost = lost };

	h.record.pid = 0;
	RECORD_APPEND(out, &h, NULL, 0);
}

/* One in time, one too late: that is a limit only when something was lost. */
static void test_holds(void **state)
{
	struct buffer records = { 0 };
	struct text text;

	(void)state;
	add_hold(&records, 2000, 2070, 0);
	add_hold(&records, 5000, 5300, 0);
	shown(&text, "table", &records);
	assert_true(has(text.data,
		"pauses: 2, 2.00us in total; stopping all threads took up to 300ns; the event "
		"buffer had room for at least 100ns"));
	assert_false(has(text.data, "came too late"));
	text_free(&text);
	add_hold(&records, 9000, 9050, 3);
	shown(&text, "table", &records);
	assert_true(has(text.data, "1 of 3 pauses came too late: pausing took up to 300ns"));
	text_free(&text);
	buffer_fini(&records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_rows),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_older_capture),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_urings),
		cmocka_unit_test(test_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
