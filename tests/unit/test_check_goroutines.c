/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings by made-up goroutines: those that wait for each other, and those of which there are more
 * and more; the healthy twin of each. */
#include "check_records.h"

#include "probes/waits.h"

#define IDLE_S 30

struct made {
	const char *start, *reason, *by, *at;
	uint64_t count, before;
	uint64_t longest_s; /* 0: absent */
	enum waits_goroutine_state state;
	bool is_main;
};

#define MAIN(reason_, by_)                                                                         \
	{                                                                                          \
		.start = "runtime.main", .reason = reason_, .by = by_, .at = "main.main",          \
		.count = 1, .before = 1, .is_main = true                                           \
	}
#define SIGNALS                                                                                    \
	{                                                                                          \
		.start = "os/signal.loop", .count = 1, .before = 1, .state = WAITS_GOROUTINE_CALLS \
	}
#define SERVER                                                                                     \
	{                                                                                          \
		.start = "main.serve", .reason = "IO wait", .by = "net.(*TCPListener).Accept",     \
		.at = "main.serve", .count = 1, .before = 1                                        \
	}

static void put_goroutines(const struct made *m, double s, bool is_first)
{
	struct waits_goroutines w = { .record = head_of(s, PID, WAITS_GOROUTINES),
		.node_pid = PID,
		.count = is_first ? m->before : m->count,
		.longest_ns = m->longest_s * NS_PER_S,
		.longest_state = m->longest_s ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.state = (uint8_t)m->state,
		.is_main = m->is_main,
		.reason_state = m->reason ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.at_state = m->at ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { put_text(&w.reason, m->reason ? m->reason : ""),
		put_text(&w.by, m->by ? m->by : ""), put_text(&w.at, m->at ? m->at : ""),
		put_text(&w.start, m->start) };

	if (w.count)
		RECORD_APPEND(&records, &w, tail, ARRAY_SIZE(tail));
}

static void put_thread(uint32_t tid, double s, double idle_s)
{
	struct waits_thread w = { .record = head_of(s, PID, WAITS_THREAD),
		.node_pid = PID,
		.since_ns = (uint64_t)(idle_s * (double)NS_PER_S),
		.switches = 1,
		.lock = WAITS_LOCK_SIGNAL,
		.state = 'S',
		.timeout_state = SOOTH_STATE_ABSENT };

	w.record.tid = tid;
	RECORD_APPEND(&records, &w, NULL, 0);
}

static void put_snapshot(const struct made *all, size_t count, double s, double idle_s)
{
	struct waits_process p = { .record = head_of(s, PID, WAITS_PROCESS),
		.node_pid = PID,
		.threads = 3,
		.state = 'S' };
	struct waits_snapshot end = { .record = head_of(s, PID, WAITS_SNAPSHOT) };
	struct record_tail tail[] = { tail_string(&p.name, "thing") };

	put_thread(PID, s, idle_s);
	put_thread(200, s, 0); /* the runtime's own */
	put_thread(201, s, idle_s);
	RECORD_APPEND(&records, &p, tail, 1);
	for (size_t i = 0; i < count; i++)
		put_goroutines(&all[i], s, !s);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void has_goroutines(const struct made *all, size_t count, double idle_s)
{
	is_there();
	add_source("waits");
	put_snapshot(all, count, 0, idle_s);
	put_snapshot(all, count, LOOKS - 1, idle_s);
}

/* A lock of which Go's collector says how long it is wanted; 0 s: it does not. */
static void wants_lock(double longest_s)
{
	const struct made all[] = { MAIN("chan receive", ""), SIGNALS, SERVER,
		{ .start = "main.transfer",
			.reason = "semacquire",
			.by = "sync.(*Mutex).lockSlow",
			.at = "main.transfer",
			.count = 3,
			.before = 3,
			.longest_s = (uint64_t)longest_s } };

	has_goroutines(all, ARRAY_SIZE(all), 0);
}

/* The same, wanted at the end alone; it rests otherwise. */
static void has_wanted_lock(double before)
{
	const struct made all[] = { MAIN("chan receive", ""),
		{ .start = "main.transfer",
			.reason = "sync.Mutex.Lock",
			.by = "sync.(*Mutex).Lock",
			.at = "main.transfer",
			.count = 3,
			.before = (uint64_t)before } };

	has_goroutines(all, ARRAY_SIZE(all), IDLE_S);
}

/* The same beside a main goroutine that waits for a command, perhaps with the lock. */
static void wants_lock_of_main(double longest_s)
{
	const struct made all[] = { { .start = "runtime.main",
					    .count = 1,
					    .before = 1,
					    .is_main = true,
					    .state = WAITS_GOROUTINE_CALLS },
		{ .start = "main.transfer",
			.reason = "sync.Mutex.Lock",
			.by = "sync.(*Mutex).Lock",
			.at = "main.transfer",
			.count = 3,
			.before = 3,
			.longest_s = (uint64_t)longest_s } };

	has_goroutines(all, ARRAY_SIZE(all), IDLE_S);
}

/* A writer and two readers of one lock in a server that switches much, beside so many that read a
 * file. */
static void reads_within(double others)
{
	const struct made all[] = { { .start = "runtime.main",
					    .reason = "IO wait",
					    .by = "net/http.(*Server).ListenAndServe",
					    .at = "main.main",
					    .count = 1,
					    .before = 1,
					    .is_main = true },
		{ .start = "main.main.func1",
			.reason = "semacquire",
			.by = "sync.(*RWMutex).Lock",
			.at = "main.refresh",
			.count = 1,
			.before = 1 },
		{ .start = "net/http.(*Server).Serve.func3",
			.reason = "semacquire",
			.by = "sync.runtime_SemacquireMutex",
			.at = "main.overview",
			.count = 2,
			.before = 1 },
		{ .start = "main.load",
			.state = WAITS_GOROUTINE_CALLS,
			.count = (uint64_t)others,
			.before = (uint64_t)others } };

	has_goroutines(all, ARRAY_SIZE(all), 0);
}

static void waits_for_group(double idle_s)
{
	const struct made all[] = { MAIN("semacquire", "sync.(*WaitGroup).Wait"), SIGNALS };

	has_goroutines(all, ARRAY_SIZE(all), idle_s);
}

static void waits_beside(double is_sender)
{
	const struct made all[] = { MAIN("sync.WaitGroup.Wait", "sync.(*WaitGroup).Wait"),
		{ .start = "main.work",
			.reason = is_sender > 0 ? "chan send" : "chan receive",
			.at = "main.work",
			.count = 4,
			.before = 4 } };

	has_goroutines(all, ARRAY_SIZE(all), IDLE_S);
}

static void serves_beside(double idle_s)
{
	const struct made all[] = { MAIN("semacquire", "sync.(*WaitGroup).Wait"), SERVER };

	has_goroutines(all, ARRAY_SIZE(all), idle_s);
}

static void grows_to(double count)
{
	const struct made all[] = { MAIN("chan receive", ""), { .start = "main.serve.func1",
								      .reason = "chan receive",
								      .at = "main.handle",
								      .count = (uint64_t)count,
								      .before = 450 } };

	has_goroutines(all, ARRAY_SIZE(all), 0);
}

/* One in a function waits for data, the others for the mutex that it may have. */
static void wants_mutex_in(const char *at, char state)
{
	const struct made all[] = { MAIN("chan receive", ""),
		{ .start = "main.main.func1",
			.reason = "IO wait",
			.by = "net.(*conn).Read",
			.at = at,
			.count = 1,
			.before = 1 },
		{ .start = "main.main.func2",
			.reason = "sync.Mutex.Lock",
			.by = "sync.(*Mutex).Lock",
			.at = "main.audit",
			.count = 600,
			.before = 500 } };

	is_there();
	add_source("waits");
	put_snapshot(all, ARRAY_SIZE(all), 0, 0);
	put_peer(LOOKS - 1, (struct waits_peer){ .unread_bytes = 100, .peer_state = state });
	put_snapshot(all, ARRAY_SIZE(all), LOOKS - 1, 0);
}

static void has_holder(double state)
{
	wants_mutex_in("main.audit", (char)state);
}

static void has_other_function(double state)
{
	wants_mutex_in("main.other", (char)state);
}

/* Only a receiver can wake these; the first has waited for so long. */
static void sends(double longest_s)
{
	const struct made all[] = { MAIN("IO wait", "net/http.(*Server).ListenAndServe"),
		{ .start = "main.quote.func1",
			.reason = "chan send",
			.at = "main.quote.func1",
			.count = 110,
			.before = 100,
			.longest_s = (uint64_t)longest_s } };

	has_goroutines(all, ARRAY_SIZE(all), 0);
}

static void run_more(double count)
{
	const struct made all[] = { MAIN("chan receive", ""),
		{ .start = "main.serve.func1",
			.count = (uint64_t)count,
			.before = 450,
			.state = WAITS_GOROUTINE_RUNS } };

	has_goroutines(all, ARRAY_SIZE(all), 0);
}

/* To a channel that nothing takes from, beside a goroutine that sleeps or receives, or none. */
static void sends_beside(const char *reason, uint64_t before)
{
	const struct made all[] = { MAIN("chan receive", ""), SIGNALS, SERVER,
		{ .start = "main.record",
			.reason = "chan send",
			.at = "main.record",
			.count = 4,
			.before = before },
		{ .start = "main.flush",
			.reason = reason,
			.at = "main.flush",
			.count = 1,
			.before = 1 } };

	has_goroutines(all, ARRAY_SIZE(all) - !reason, 0);
}

static void sends_to_none(double before)
{
	sends_beside(NULL, (uint64_t)before);
}

static void sends_to_sleeper(double value)
{
	(void)value;
	sends_beside("sleep", 4);
}

static void sends_to_receiver(double value)
{
	(void)value;
	sends_beside("chan receive", 4);
}

static void has_none(double idle_s)
{
	has_goroutines(NULL, 0, idle_s);
}

static void test_stuck(void **state)
{
	static const struct check_case cases[] = {
		{ "goroutines-stuck", wants_lock, 30, NULL,
			"medium/medium: deadlock: 3 goroutines wait for a mutex in main.transfer, "
			"for 30 s" },
		{ "goroutines-stuck", wants_lock_of_main, 30, NULL,
			"low/medium: 3 goroutines wait for a mutex in main.transfer, for 30 "
			"s|whether "
			"the goroutine that has the lock works" },
		{ "goroutines-stuck", wants_lock_of_main, 30, "goroutines-stuck.min-time=31s",
			"fine: its goroutines can go on" },
		{ "goroutines-stuck", wants_lock, 0, NULL, "medium/medium: |for 5 s" },
		{ "goroutines-stuck", wants_lock, 0, "goroutines-stuck.min-time-at-rest=6s",
			"fine: its goroutines can go on" },
		{ "goroutines-stuck", has_wanted_lock, 3, NULL,
			"medium/medium: deadlock: 3 goroutines wait for a mutex" },
		{ "goroutines-stuck", has_wanted_lock, 0, NULL, "fine: its goroutines can go on" },
		{ "goroutines-stuck", reads_within, 0, NULL,
			"medium/medium: deadlock: 3 goroutines wait for a lock in main.overview "
			"and "
			"main.refresh, for 5 s; perhaps one has it already and wants it again" },
		{ "goroutines-stuck", reads_within, 1, NULL, "fine: its goroutines can go on" },
		{ "goroutines-stuck", waits_for_group, IDLE_S, NULL,
			"medium/medium: deadlock: the main goroutine waits in "
			"sync.(*WaitGroup).Wait, called by main.main, for 30 s: no other "
			"goroutine" },
		{ "goroutines-stuck", waits_for_group, 3, NULL, "fine: its goroutines can go on" },
		{ "goroutines-stuck", waits_for_group, 5, "goroutines-stuck.min-time-at-rest=6s",
			"fine: its goroutines can go on" },
		{ "goroutines-stuck", waits_for_group, 5, NULL, "medium/medium: deadlock: " },
		{ "goroutines-stuck", waits_beside, 1, NULL, "medium/medium: |too" },
		{ "goroutines-stuck", waits_beside, 0, NULL, "fine: its goroutines can go on" },
		{ "goroutines-stuck", serves_beside, IDLE_S, NULL,
			"fine: its goroutines can go on" },
		{ "goroutines-stuck", sends_to_none, 4, NULL,
			"medium/medium: 4 goroutines wait until a channel takes its data in "
			"main.record, for 5 s: none takes any more" },
		{ "goroutines-stuck", sends_to_none, 3, NULL, "medium/medium: 4 goroutines wait" },
		{ "goroutines-stuck", sends_to_none, 5, NULL, "fine: its goroutines can go on" },
		{ "goroutines-stuck", sends_to_sleeper, 0, NULL, "fine: its goroutines can go on" },
		{ "goroutines-stuck", sends_to_receiver, 0, NULL, "low/low: 4 goroutines wait" },
		{ "goroutines-stuck", has_none, IDLE_S, NULL, "fine: no goroutines" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_leak(void **state)
{
	static const struct check_case cases[] = {
		{ "goroutine-leak", grows_to, 500, NULL,
			"low/low: goroutines pile up: 500 wait for data from a channel in "
			"main.handle, 50 more in 5 s" },
		{ "goroutine-leak", has_holder, 't', NULL,
			"low/low: goroutines pile up: 600 wait for a mutex in main.audit, 100 more "
			"in 5 s; the mutex is probably held by the one that waits in "
			"net.(*conn).Read, called by main.audit, for node (77)|" },
		{ "goroutine-leak", has_holder, 'S', NULL,
			"low/low: goroutines pile up: 600 wait for a mutex in main.audit, 100 more "
			"in 5 s; the mutex is probably held by the one that waits in "
			"net.(*conn).Read, called by main.audit|!for node" },
		{ "goroutine-leak", has_other_function, 't', NULL,
			"low/low: goroutines pile up: 600 wait for a mutex in main.audit, 100 more "
			"in 5 s|!the mutex" },
		{ "goroutine-leak", grows_to, 499, NULL, "fine: goroutines that wait do not" },
		{ "goroutine-leak", grows_to, 500, "goroutine-leak.min-gain=51", "fine: " },
		{ "goroutine-leak", grows_to, 500, "goroutine-leak.min-share=12", "fine: " },
		{ "goroutine-leak", grows_to, 500, "goroutine-leak.min-rate=11", "fine: " },
		{ "goroutine-leak", sends, 3600, NULL,
			"low/low: goroutines pile up: 110 wait until a channel takes its data in "
			"main.quote.func1, 10 more in 5 s" },
		{ "goroutine-leak", sends, 1, NULL, "fine: " },
		{ "goroutine-leak", sends, 0, NULL, "fine: " },
		{ "goroutine-leak", sends, 3600, "goroutine-leak.min-gain-stuck=11", "fine: " },
		{ "goroutine-leak", sends, 3600, "goroutine-leak.min-count-stuck=111", "fine: " },
		{ "goroutine-leak", run_more, 5000, NULL, "fine: " },
		{ "goroutine-leak", has_none, 0, NULL, "fine: no goroutines" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
