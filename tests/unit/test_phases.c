/* SPDX-License-Identifier: BSD-2-Clause */
/* Phases from samples made by hand: where they begin and end, and what they used. */
#include "support.h"

#include "analyze/phases/phase_history.h"
#include "analyze/phases/phase_sums.h"
#include "analyze/phases/phase_tracker.h"
#include "base/units.h"
#include "probes/proc.h"

#define CLAUDE "/home/me/.local/share/claude/versions/2.1.328"
#define UTC_S  1700000000ull /* at CLOCK_MONOTONIC 0 */
#define MAIN   10
#define START  100 /* s after boot, when it started */

static struct host_state host;
static struct phase_tracker tracker;
static struct buffer records, spans;
static uint64_t clock_ahead_s;

static void begin(void)
{
	host_state_init(&host);
	phase_tracker_init(&tracker);
	buffer_reset(&spans);
}

static void end(void)
{
	host_state_fini(&host);
	phase_tracker_fini(&tracker);
	buffer_fini(&records);
	buffer_fini(&spans);
}

static struct sooth_record head(uint64_t now_ms, uint16_t kind)
{
	return (struct sooth_record){
		.time_ns = now_ms * NS_PER_MS, .start_ticks = START * 100, .pid = MAIN, .kind = kind
	};
}

/* The clocks, as the start of a stream has them. */
static void add_segment(uint64_t now_ms)
{
	struct stream_segment s = { .record = { .time_ns = now_ms * NS_PER_MS,
					    .kind = STREAM_SEGMENT },
		.realtime_offset_ns = (int64_t)((UTC_S + clock_ahead_s) * NS_PER_S),
		.ticks_per_s = 100 };

	RECORD_APPEND(&records, &s, NULL, 0);
}

static void add_process(uint64_t now_ms, uint64_t cpu_ms, char state)
{
	struct proc_process p = { .record = head(now_ms, PROC_PROCESS),
		.cpu_ns = cpu_ms * NS_PER_MS,
		.rss_bytes = 100 << 20,
		.session = MAIN,
		.process_group = MAIN,
		.state = state,
		.threads = 1 };
	struct record_tail tail[] = { { &p.name, "claude", 6 },
		{ &p.executable, CLAUDE, strlen(CLAUDE) } };

	RECORD_APPEND(&records, &p, tail, ARRAY_SIZE(tail));
}

/* 0: its io counters were not readable. */
static uint64_t io_calls;

static void add_ties(uint64_t now_ms)
{
	uint8_t state = io_calls ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	struct proc_ties t = { .record = head(now_ms, PROC_LINKS),
		.written_bytes = io_calls * 10,
		.read_bytes = io_calls * 100,
		.io_calls = io_calls,
		.written_state = state,
		.io_state = state };

	RECORD_APPEND(&records, &t, NULL, 0);
}

static void add_session(uint64_t now_ms, const char *status, uint64_t since_ms, uint32_t turns)
{
	struct proc_session s = { .record = head(now_ms, PROC_SESSION),
		.changed_utc_ns = UTC_S * NS_PER_S + since_ms * NS_PER_MS,
		.turn_state = SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT),
		.call_state = SOOTH_STATE_ABSENT,
		.error_state = SOOTH_STATE_ABSENT,
		.waiting_state = SOOTH_STATE_ABSENT,
		.turns = turns,
		.input_tokens = turns * 100ull,
		.output_tokens = turns * 10ull };
	struct record_tail tail[] = { { &s.status, status, strlen(status) },
		{ &s.model, "claude-x", 8 }, { &s.version, "2.1.328", 7 } };

	RECORD_APPEND(&records, &s, tail, ARRAY_SIZE(tail));
}

/* `status` "": the process is gone. */
static void sample(
	uint64_t now_ms, const char *status, uint64_t since_ms, uint64_t cpu_ms, uint32_t turns)
{
	struct proc_snapshot snapshot = { .record = { .time_ns = now_ms * NS_PER_MS,
						  .kind = PROC_SNAPSHOT },
		.from_ns = now_ms * NS_PER_MS,
		.is_of_host = 1 };
	struct sooth_error err;

	buffer_reset(&records);
	add_segment(now_ms);
	if (*status) {
		add_process(now_ms, cpu_ms, *status == 'T' ? 'T' : 'S');
		add_ties(now_ms);
		add_session(now_ms, status, since_ms, turns);
	}
	RECORD_APPEND(&records, &snapshot, NULL, 0);
	host_state_add_batch(&host, &(struct batch){ records.data, records.size });
	assert_int_equal(host_state_resolve(&host, &err), 0);
	phase_tracker_sample(&tracker, &host);
	host_state_next_interval(&host);
	host_state_drop_ended(&host);
}

static const struct phase_span *span_at(size_t wanted)
{
	struct batch all = { tracker.out.data, tracker.out.size };

	batch_for_each (r, &all) {
		if (!wanted--)
			return (const void *)r;
	}
	fail_msg("there is no such span");
	return NULL;
}

static void assert_span(size_t i, const char *state, uint64_t from_ms, uint64_t to_ms)
{
	const struct phase_span *p = span_at(i);
	struct span text = record_text(&p->record, &p->state);

	assert_true(span_equal(text, state));
	assert_int_equal(p->begin_ns / NS_PER_MS, from_ms);
	assert_int_equal(p->record.time_ns / NS_PER_MS, to_ms);
	assert_int_equal(p->end_utc_ns, UTC_S * NS_PER_S + to_ms * NS_PER_MS);
}

static void a_change_is_when_the_agent_says(void **state)
{
	(void)state;
	begin();
	sample(200000, "idle", 150000, 1000, 0);
	sample(202000, "idle", 150000, 1000, 0);
	/* It became busy half a second after the sample before. */
	sample(204000, "busy", 202500, 1200, 0);
	sample(206000, "busy", 202500, 1400, 0);
	phase_tracker_finish(&tracker);
	assert_span(0, "idle", 200000, 202500);
	assert_span(1, "waits_for_model", 202500, 206000);
	assert_true(span_equal(record_text(&span_at(1)->record, &span_at(1)->version), "2.1.328"));
	/* CPU of the time between two samples is divided by time. */
	assert_int_equal(span_at(0)->cpu_ns / NS_PER_MS, 50);
	assert_int_equal(span_at(1)->cpu_ns / NS_PER_MS, 350);
	end();
}

static void a_change_of_unknown_time_is_in_the_middle(void **state)
{
	(void)state;
	begin();
	sample(200000, "idle", 150000, 0, 0);
	sample(202000, "T", 150000, 0, 0);
	phase_tracker_finish(&tracker);
	assert_span(0, "idle", 200000, 201000);
	assert_span(1, "stopped", 201000, 202000);
	end();
}

static void tokens_belong_to_the_phase_that_waited(void **state)
{
	(void)state;
	begin();
	sample(200000, "busy", 199000, 0, 5);
	sample(202000, "idle", 201500, 0, 6);
	sample(204000, "busy", 203000, 0, 7);
	phase_tracker_finish(&tracker);
	/* Tokens that were there at the first sample are of no phase. */
	assert_int_equal(span_at(0)->turns, 1);
	assert_int_equal(span_at(0)->input_tokens, 100);
	assert_int_equal(span_at(1)->turns, 0);
	assert_int_equal(span_at(2)->turns, 1);
	assert_int_equal(span_at(2)->output_tokens, 10);
	end();
}

static void reads_and_writes_are_divided_as_cpu_is(void **state)
{
	(void)state;
	begin();
	io_calls = 50; /* before: of no phase */
	sample(200000, "idle", 150000, 0, 0);
	io_calls = 60;
	sample(202000, "idle", 150000, 0, 0);
	io_calls = 100;
	sample(204000, "busy", 202500, 0, 0);
	phase_tracker_finish(&tracker);
	assert_int_equal(span_at(0)->io_calls, 20);
	assert_int_equal(span_at(0)->read_bytes, 2000);
	assert_int_equal(span_at(1)->io_calls, 30);
	assert_int_equal(span_at(1)->written_bytes, 300);
	assert_int_equal(span_at(1)->io_state, SOOTH_STATE_VALUE);
	end();
	io_calls = 0;
	begin();
	sample(200000, "idle", 150000, 0, 0);
	sample(202000, "idle", 150000, 0, 0);
	phase_tracker_finish(&tracker);
	assert_int_equal(span_at(0)->io_state, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	end();
}

static void a_gap_is_not_observed(void **state)
{
	(void)state;
	begin();
	sample(200000, "idle", 150000, 0, 0);
	sample(202000, "idle", 150000, 0, 0);
	sample(300000, "idle", 150000, 0, 0);
	sample(302000, "idle", 150000, 0, 0);
	phase_tracker_finish(&tracker);
	assert_span(0, "idle", 200000, 202000);
	assert_span(1, "idle", 300000, 302000);
	end();
}

/* Phases before it keep their times; none is longer or shorter for it. */
static void the_clock_is_set(void **state)
{
	(void)state;
	begin();
	sample(200000, "T", 0, 0, 0);
	sample(202000, "T", 0, 0, 0);
	clock_ahead_s = 86400;
	sample(204000, "T", 0, 0, 0);
	phase_tracker_finish(&tracker);
	clock_ahead_s = 0;
	assert_int_equal(span_at(0)->begin_ns / NS_PER_MS, 200000);
	assert_int_equal(span_at(0)->record.time_ns / NS_PER_MS, 204000);
	assert_int_equal(span_at(0)->end_utc_ns, (UTC_S + 86400 + 204) * NS_PER_S);
	end();
}

static void an_end_closes_the_phase(void **state)
{
	(void)state;
	begin();
	sample(200000, "idle", 150000, 0, 0);
	sample(202000, "", 0, 0, 0);
	assert_span(0, "idle", 200000, 201000);
	assert_true(span_at(0)->flags & PHASE_IS_LAST);
	assert_int_equal(tracker.sessions.count, 0);
	assert_int_equal(tracker.members.count, 0);
	end();
}

static void check_end(const struct exit_reasons_end *of, const char *expected, uint64_t end_ms)
{
	const struct phase_span *p;
	struct endings endings;

	begin();
	endings_init(&endings);
	tracker.endings = &endings;
	sample(200000, "idle", 150000, 0, 0);
	endings_add_record(&endings, &of->record);
	sample(202000, "", 0, 0, 0);
	assert_span(0, "idle", 200000, end_ms);
	p = span_at(0);
	assert_int_equal(p->end_state, of->status_state);
	assert_int_equal(p->end.size, strlen(expected));
	assert_memory_equal((const char *)p + p->end.offset, expected, p->end.size);
	endings_fini(&endings);
	end();
}

static void an_end_has_its_reason(void **state)
{
	struct exit_reasons_end e = { .record = head(201500, EXIT_REASONS_END), .status = 9 };

	(void)state;
	e.record.words = e.record.fixed_words = sizeof(e) / SOOTH_RECORD_WORD;
	check_end(&e, "killed by SIGKILL", 201500);
	e.is_oom_victim = 1;
	check_end(&e, "killed by the kernel: out of memory", 201500);
	e.is_oom_victim = 0;
	e.status = 3 << 8;
	check_end(&e, "exited with status 3", 201500);
	e.status = 11;
	check_end(&e, "crashed: SIGSEGV", 201500);
	e.status_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	check_end(&e, "", 201500);
}

/* A process that ends while a sample is read is still in it: the next sample has to know the end.
 */
static void ends_are_kept_for_a_sample(void **state)
{
	struct exit_reasons_end e = { .record = head(200500, EXIT_REASONS_END), .status = 9 };
	struct process_id id = process_id_of(&e.record);
	struct endings endings;

	(void)state;
	e.record.words = e.record.fixed_words = sizeof(e) / SOOTH_RECORD_WORD;
	endings_init(&endings);
	endings_add_record(&endings, &e.record);
	endings_forget_before(&endings, 200000 * NS_PER_MS);
	assert_non_null(endings_get(&endings, &id));
	assert_int_equal(endings_get(&endings, &id)->end.status, 9);
	endings_forget_before(&endings, 202000 * NS_PER_MS);
	assert_null(endings_get(&endings, &id));
	endings_fini(&endings);
}

/* A long phase is written in parts, and read as one. */
static void parts_are_one_phase(void **state)
{
	struct phase_history history;
	struct phase_sums sums;
	const struct phase_piece *phases;
	struct batch all;

	(void)state;
	begin();
	for (uint64_t ms = 200000; ms <= 400000; ms += 2000)
		sample(ms, "idle", 150000, 0, 0);
	phase_tracker_finish(&tracker);
	all = (struct batch){ tracker.out.data, tracker.out.size };
	assert_true(all.size > 3 * sizeof(struct phase_span));
	phase_history_init(&history, NULL);
	batch_for_each (r, &all)
		phase_history_add_record(&history, r);
	phase_sums_make(&sums, &history);
	phases = (const void *)sums.phases.data;
	assert_int_equal(sums.phases.size, sizeof(*phases));
	assert_int_equal((phases->end_utc_ns - phases->begin_utc_ns) / NS_PER_S, 200);
	assert_int_equal(sums.states[ACTIVITY_IDLE].count, 1);
	phase_sums_fini(&sums);
	phase_history_fini(&history);
	end();
}

/* A part of the time has that part of the CPU time that was used. */
static void a_selection_is_clipped(void **state)
{
	struct phase_selection selection = { .from_utc_ns = (UTC_S + 203) * NS_PER_S,
		.to_utc_ns = (UTC_S + 205) * NS_PER_S };
	struct phase_history history;
	const struct phase_piece *p;
	struct batch all;
	size_t count;

	(void)state;
	begin();
	sample(200000, "idle", 150000, 1000, 0);
	sample(210000, "idle", 150000, 2000, 0);
	phase_tracker_finish(&tracker);
	all = (struct batch){ tracker.out.data, tracker.out.size };
	phase_history_init(&history, &selection);
	batch_for_each (r, &all)
		phase_history_add_record(&history, r);
	p = phase_pieces(&history, &count);
	assert_int_equal(count, 1);
	assert_int_equal((p->end_utc_ns - p->begin_utc_ns) / NS_PER_S, 2);
	assert_int_equal(p->cpu_ns / NS_PER_MS, 200);
	phase_history_fini(&history);
	selection.which = "codex";
	phase_history_init(&history, &selection);
	batch_for_each (r, &all)
		phase_history_add_record(&history, r);
	phase_pieces(&history, &count);
	assert_int_equal(count, 0);
	phase_history_fini(&history);
	end();
}

/* Feeds a span of an answer about process 20, of the session. */
static void add_answer(
	struct phase_history *h, const char *key, uint64_t from_s, uint64_t to_s, bool is_cleared)
{
	struct answer_span span = { .record = head(to_s * 1000, ANSWER_SPAN),
		.begin_ns = from_s * NS_PER_S,
		.begin_utc_ns = (UTC_S + from_s) * NS_PER_S,
		.end_utc_ns = (UTC_S + to_s) * NS_PER_S,
		.subject_pid = 20,
		.is_cleared = is_cleared };
	struct record_tail tail[] = { { &span.key, key, strlen(key) },
		{ &span.agent, "claude", 6 } };

	buffer_reset(&records);
	RECORD_APPEND(&records, &span, tail, ARRAY_SIZE(tail));
	phase_history_add_record(h, (const void *)records.data);
}

static void assert_found(
	const struct phase_history *h, size_t i, uint64_t from_s, uint64_t to_s, bool is_cleared)
{
	const struct phase_found *all = (const void *)h->answers.all.data;

	assert_true(i < h->answers.all.size / sizeof(*all));
	assert_int_equal(all[i].begin_utc_ns / NS_PER_S, UTC_S + from_s);
	assert_int_equal(all[i].end_utc_ns / NS_PER_S, UTC_S + to_s);
	assert_int_equal(all[i].is_cleared, is_cleared);
}

/* The spans of one answer are one, also over the start of another monitor; a later one is another.
 */
static void spans_are_one_answer(void **state)
{
	struct phase_selection of_codex = { .which = "codex" };
	struct phase_history h;

	(void)state;
	phase_history_init(&h, NULL);
	add_answer(&h, "frozen:20@7", 100, 700, false);
	add_answer(&h, "held-up:20@7", 600, 650, true);
	add_answer(&h, "frozen:20@7", 720, 800, true);
	add_answer(&h, "frozen:20@7", 900, 910, true);
	assert_found(&h, 0, 100, 800, true);
	assert_found(&h, 1, 600, 650, true);
	assert_found(&h, 2, 900, 910, true);
	assert_int_equal(h.answers.all.size, 3 * sizeof(struct phase_found));
	phase_history_fini(&h);
	phase_history_init(&h, &of_codex);
	add_answer(&h, "frozen:20@7", 100, 700, false);
	assert_int_equal(h.answers.all.size, 0);
	phase_history_fini(&h);
	buffer_fini(&records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_when_the_agent_says),
		cmocka_unit_test(a_change_of_unknown_time_is_in_the_middle),
		cmocka_unit_test(tokens_belong_to_the_phase_that_waited),
		cmocka_unit_test(reads_and_writes_are_divided_as_cpu_is),
		cmocka_unit_test(a_gap_is_not_observed),
		cmocka_unit_test(the_clock_is_set),
		cmocka_unit_test(an_end_closes_the_phase),
		cmocka_unit_test(an_end_has_its_reason),
		cmocka_unit_test(ends_are_kept_for_a_sample),
		cmocka_unit_test(parts_are_one_phase),
		cmocka_unit_test(spans_are_one_answer),
		cmocka_unit_test(a_selection_is_clipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
