/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about threads that burn, poll or fight for locks, at both sides of their thresholds. */
#include "check_threads.h"

#define HIDDEN SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
#define GONE   SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED)

/* A maker of one thread, which changes one member of a base. */
#define ONE_THREAD(name, base, member)                                                             \
	static void name(double value)                                                             \
	{                                                                                          \
		struct thread_made m = base;                                                       \
                                                                                                   \
		m.member = (__typeof__(m.member))value;                                            \
		is_there();                                                                        \
		thread(m);                                                                         \
		threads_read(1);                                                                   \
	}

/* --- cpu-spin --- */

/* It has burnt for so long that it is no command which somebody has just started. */
static const struct thread_made spinner = {
	.name = "spinner", .state = 'R', .cpu = 100, .involuntary = 10, .before_s = 130
};
/* Half of what it wants. */
static const struct thread_made starved = {
	.name = "starved", .state = 'R', .cpu = 50, .waited = 45, .involuntary = 10, .before_s = 130
};

ONE_THREAD(spins_before, spinner, before_s)
ONE_THREAD(spins_voluntary, spinner, voluntary)
ONE_THREAD(spins_involuntary, spinner, involuntary)
ONE_THREAD(spins_faults, spinner, faults)
ONE_THREAD(spins_moved, spinner, moved)
ONE_THREAD(spins_system, spinner, system)
ONE_THREAD(spins_looks, spinner, looks)
ONE_THREAD(spins_unread, spinner, io_state)
ONE_THREAD(spins_switches_unread, spinner, switches_state)
ONE_THREAD(spins_cpu_unread, spinner, cpu_state)
ONE_THREAD(starves_waited, starved, waited)

static void starves_cpu(double cpu)
{
	struct thread_made m = starved;

	m.cpu = cpu;
	m.waited = 95 - cpu;
	is_there();
	thread(m);
	threads_read(1);
}

static void spins_in(double looks)
{
	struct thread_made m = spinner;

	m.state = 'S';
	m.running = (int)looks;
	is_there();
	thread(m);
	threads_read(1);
}

static void spin_together(double threads)
{
	struct thread_made m = spinner;

	is_there();
	for (uint32_t i = 0; i < (uint32_t)threads; i++) {
		m.tid = PID + i;
		m.cpu = 90 + i;
		thread(m);
	}
	threads_read((uint32_t)threads);
}

static void spins_on_host(double cpus)
{
	spin_together(1);
	host_has((uint32_t)cpus);
}

static void spin_as_agent(double value)
{
	(void)value;
	runs = CLAUDE;
	spin_together(1);
}

/* Reads and writes so often a second. */
static void works_in_a_pool(double jobs)
{
	struct thread_made m = spinner;

	m.calls = m.writes = jobs;
	is_there();
	thread(m);
	threads_read(1);
}

/* Its results, so often a second; it reads nothing. */
static void writes_lines(double lines)
{
	struct thread_made m = spinner;

	m.writes = lines;
	is_there();
	thread(m);
	threads_read(1);
}

/* For a thread beside it, which computes. */
/* Started by a tool call of Claude Code. */
static void spins_of_session(double value)
{
	static const char markers[] = "CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=sess-x";
	struct proc_ties t = {
		.record = head_of(LOOKS - 1, PID, PROC_LINKS), .pid_namespace = 1, .inner_pid = PID
	};
	struct record_tail tail[] = { { &t.markers, markers, sizeof(markers) } };

	spins_before(value);
	RECORD_APPEND(&records, &t, tail, 1);
}

static void writes_lines_for_another(double lines)
{
	struct thread_made worker = spinner, m = { .writes = lines };

	worker.tid = PID + 1;
	is_there();
	thread(m);
	thread(worker);
	threads_read(2);
}

static void agent_writes_lines(double lines)
{
	runs = CLAUDE;
	writes_lines(lines);
}

static void computes_by_nature(double before_s)
{
	struct thread_made m = spinner;

	m.before_s = before_s;
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "openssl");
		all_reported(i);
	}
	thread(m);
	threads_read(1);
}

/* A single look at a process that is 100 s old. */
static void look_once(struct proc_ties t, char process_state, uint64_t more_bytes)
{
	is_one_look = true;
	started_s = FROM_S - 100;
	for (int i = 0; i < 2; i++) {
		process_at(i * 0.2,
			(struct proc_process){
				.state = process_state, .rss_bytes = 8 << 20 | i * more_bytes },
			"thing");
		t.record = head_of(i * 0.2, PID, PROC_LINKS);
		RECORD_APPEND(&records, &t, NULL, 0);
		all_reported(i * 0.2);
	}
}

static const struct proc_ties looping = {
	.thread_cpu_ns = 30 * NS_PER_S, .thread_ready_ns = 69 * NS_PER_S, .read_bytes = 3 << 20
};

static void loops_ready(double ready_s)
{
	struct proc_ties t = looping;

	t.thread_ready_ns = (uint64_t)ready_s * NS_PER_S;
	look_once(t, 'R', 0);
}

static void loops_written(double bytes)
{
	struct proc_ties t = looping;

	t.written_bytes = (uint64_t)bytes;
	look_once(t, 'R', 0);
}

static void loops_read(double bytes)
{
	struct proc_ties t = looping;

	t.read_bytes = (uint64_t)bytes;
	look_once(t, 'R', 0);
}

static void loops_growing(double bytes)
{
	look_once(looping, 'R', (uint64_t)bytes);
}

static void loops_in(double process_state)
{
	look_once(looping, (char)process_state, 0);
}

static void loops_unmeasured(double thread_state)
{
	struct proc_ties t = looping;

	t.thread_state = (uint8_t)thread_state;
	look_once(t, 'R', 0);
}

static void test_spin_by_one_look(void **state)
{
	static const struct check_case cases[] = {
		{ "cpu-spin", loops_ready, 69, NULL,
			"low/medium: an endless loop, or a long computation: uses 30 % of a CPU, "
			"all that "
			"the busy host leaves it, without a wait or output since its start 1 min "
			"40 s "
			"ago" },
		{ "cpu-spin", loops_ready, 50, NULL, "blind: " },
		{ "cpu-spin", loops_written, 16, NULL, "low/medium: " },
		{ "cpu-spin", loops_written, 17, NULL, "blind: " },
		{ "cpu-spin", loops_read, 5000000, NULL, "low/medium: " },
		{ "cpu-spin", loops_read, 6000000, NULL, "blind: " },
		{ "cpu-spin", loops_growing, 65536, NULL, "low/medium: " },
		{ "cpu-spin", loops_growing, 131072, NULL, "blind: " },
		{ "cpu-spin", loops_in, 'S', NULL, "blind: " },
		{ "cpu-spin", loops_unmeasured, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION), NULL,
			"blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_cpu_spin(void **state)
{
	static const struct check_case cases[] = {
		{ "cpu-spin", spins_before, 130, NULL,
			"medium/medium: an endless loop, or a long computation: uses 100 % of a "
			"CPU "
			"without a wait, input or output {thread 99} [CPU: 100 % over 5.00s] "
			"[share of the time in "
			"which the thread ran or was ready to run: 100 % over 5.00s] [waits: 0 a "
			"second|[kernel share: 0 %|[thread CPU time: 2m15s]|!this host is "
			"busy|!CPU use of "
			"the threads, as a share of all CPUs of the host|<sooth trace -c -p 99 "
			"shows its system calls, sooth profile -p 99 its functions>" },
		{ "cpu-spin", spins_of_session, 130, NULL,
			"medium/medium: |, input or output; the session of Claude Code that "
			"started it has ended {" },
		{ "cpu-spin", spin_as_agent, 0, NULL,
			"high/medium: |<if the process should be idle, restart it" },
		{ "cpu-spin", writes_lines_for_another, 0.6, NULL,
			"fine: |, with visible progress" },
		{ "cpu-spin", writes_lines_for_another, 0.4, NULL, "medium/medium: " },
		{ "cpu-spin", writes_lines, 0.6, NULL, "fine: |, with visible progress" },
		{ "cpu-spin", writes_lines, 0.4, NULL, "medium/medium: " },
		{ "cpu-spin", writes_lines, 1000, NULL, "fine: |, with visible progress" },
		{ "cpu-spin", writes_lines, 1001, NULL, "medium/medium: " },
		{ "cpu-spin", agent_writes_lines, 0.6, NULL, "high/medium: " },
		/* At the end it has 5 s more. */
		{ "cpu-spin", spins_before, 115, NULL, "medium/medium: " },
		{ "cpu-spin", spins_before, 114, NULL, "low/medium: " },
		{ "cpu-spin", spins_before, 895, NULL, "high/medium: " },
		{ "cpu-spin", spins_before, 894, NULL, "medium/medium: " },
		{ "cpu-spin", spins_voluntary, 20, NULL, "medium/medium: " },
		{ "cpu-spin", spins_voluntary, 21, NULL, "fine: busiest thread: 100 % of a CPU\n" },
		{ "cpu-spin", spins_involuntary, 20000, NULL, "medium/medium: " },
		{ "cpu-spin", spins_involuntary, 20001, NULL, "fine: " },
		{ "cpu-spin", spins_involuntary, 0, NULL, "medium/medium: " },
		{ "cpu-spin", spins_faults, 5, NULL, "medium/medium: |[new pages: 5 a" },
		{ "cpu-spin", spins_faults, 6, NULL, "fine: |, with visible progress" },
		{ "cpu-spin", spins_moved, 10240, NULL, "medium/medium: |[data moved: 10.0K a" },
		{ "cpu-spin", spins_moved, 10241, NULL, "fine: |, with visible progress" },
		{ "cpu-spin", works_in_a_pool, 1, NULL, "fine: |, with visible progress" },
		{ "cpu-spin", works_in_a_pool, 0.4, NULL, "medium/medium: " },
		{ "cpu-spin", works_in_a_pool, 5000, NULL, "fine: |, with visible progress" },
		{ "cpu-spin", works_in_a_pool, 5001, NULL, "medium/medium: " },
		{ "cpu-spin", computes_by_nature, 0, NULL, "fine: computes, as this program does" },
		{ "cpu-spin", computes_by_nature, 895, NULL, "high/medium: " },
		{ "cpu-spin", spins_system, 20, NULL,
			"low/medium: |; much of the time in system calls|<sooth trace -c -p 99 "
			"shows its" },
		{ "cpu-spin", spins_system, 19, NULL, "medium/medium: |!much of it" },
		{ "cpu-spin", spins_looks, 3, NULL, "medium/medium: " },
		{ "cpu-spin", spins_looks, 2, NULL, "fine: " },
		{ "cpu-spin", spins_unread, HIDDEN, NULL,
			"low/medium: |(unseen: how much the process reads" },
		{ "cpu-spin", spins_switches_unread, HIDDEN, NULL, "fine: " },
		{ "cpu-spin", spins_cpu_unread, HIDDEN, NULL,
			"blind: permission denied <run sooth as" },
		{ "cpu-spin", starves_waited, 35, NULL, "medium/medium: |ready to run: 85 %" },
		{ "cpu-spin", starves_waited, 34, NULL, "fine: " },
		{ "cpu-spin", starves_cpu, 10, NULL,
			"medium/medium: |all that the busy host leaves" },
		{ "cpu-spin", starves_cpu, 9, NULL,
			"blind: it gets 9 % of a CPU of the 95 % that it could use: too little" },
		{ "cpu-spin", starves_cpu, 50, NULL, "medium/medium: |!this host is busy" },
		{ "cpu-spin", starves_cpu, 49, NULL, "medium/medium: |this host is busy" },
		{ "cpu-spin", starves_cpu, 70, NULL, "medium/medium: |!the busy host leaves it" },
		{ "cpu-spin", starves_cpu, 40, NULL,
			"medium/medium: |uses 40 % of a CPU, all that the busy host leaves it, "
			"without a wait" },
		{ "cpu-spin", starves_cpu, 2, "cpu-spin.victim=0", "medium/medium: " },
		{ "cpu-spin", starves_cpu, 1, NULL, "fine: " },
		{ "cpu-spin", spins_in, 4, NULL, "medium/medium: " },
		{ "cpu-spin", spins_in, 3, NULL, "fine: " },
		{ "cpu-spin", spin_together, 6, NULL,
			"medium/medium: an endless loop, or a long computation: 6 threads use 5.5 "
			"CPUs without |[thread: spinner (104)|!spinner (99)|[more threads: 1]" },
		{ "cpu-spin", spin_together, 5, NULL, "medium/|(99), main|!more threads" },
		{ "cpu-spin", spins_on_host, 2, NULL,
			"medium/medium: |[CPU use of the threads, as a share of all CPUs of the "
			"host: 45 %" },
		{ "cpu-spin", spin_together, 0, NULL, "blind: " },
		{ "cpu-spin", spin_as_agent, 0, NULL, "high/medium: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- gc-pressure --- */

/* Two threads collect and one works, each so many percent; those that collect run at so many of the
 * looks. */
static void collects_at(double collector, double work, int looks)
{
	struct thread_made gc = {
		.name = "GC Thread#0", .tid = PID + 1, .cpu = collector, .running = looks
	};
	struct thread_made second = gc;

	is_there();
	thread((struct thread_made){ .name = "java", .cpu = work, .running = LOOKS });
	thread(gc);
	second.name = "GC Thread#1";
	second.tid = PID + 2;
	second.cpu = collector / 2;
	thread(second);
	threads_read(3);
}

static void collects(double cpu)
{
	collects_at(cpu, 30, LOOKS);
}

static void collects_beside(double work)
{
	collects_at(60, work, LOOKS);
}

/* Now and then, though with many threads. */
static void collects_in(double looks)
{
	collects_at(60, 30, (int)looks);
}

/* On a busy host: 30 % of a CPU, and so much more of one that others had. */
static void collects_and_waits(double waited)
{
	is_there();
	thread((struct thread_made){ .name = "java", .cpu = 25, .running = LOOKS });
	thread((struct thread_made){ .name = "VM Thread",
		.tid = PID + 1,
		.cpu = 30,
		.waited = waited,
		.running = LOOKS });
	threads_read(2);
}

/* Much of a CPU for which it waited says nothing of so little that it had. */
static void collects_little(double cpu)
{
	is_there();
	thread((struct thread_made){
		.name = "VM Thread", .tid = PID + 1, .cpu = cpu, .waited = 90, .running = LOOKS });
	threads_read(1);
}

static void works_named(double collector)
{
	is_there();
	thread((struct thread_made){ .tid = PID + 1,
		.name = collector ? "ollector Thread" : "worker",
		.cpu = 90,
		.running = LOOKS });
	threads_read(1);
}

static void test_gc_pressure(void **state)
{
	static const struct check_case cases[] = {
		{ "gc-pressure", collects, 60, NULL,
			"=medium/medium: spends 90 % of a CPU in garbage collection: the heap is "
			"probably almost full [CPU use of garbage collection: 90 % over 5.00s] "
			"[share of the process's CPU time: 75 % over 5.00s] [thread: GC Thread#0 "
			"(100): 60 %] [thread: GC Thread#1 (101): 30 %] (unseen: how full the heap "
			"is, and how much a collection frees) <jcmd 99 GC.heap_info, as the user "
			"of "
			"the process, shows how full the heap is; a larger java -Xmx gives it "
			"room; "
			"jcmd 99 GC.heap_dump FILE.hprof shows what fills it>\n" },
		{ "gc-pressure", collects, 34, NULL, "medium/medium: " },
		{ "gc-pressure", collects, 33, NULL, "fine: garbage collection: 50 % of a CPU" },
		{ "gc-pressure", collects_beside, 90, NULL, "medium/medium: " },
		{ "gc-pressure", collects_beside, 91, NULL, "fine: " },
		{ "gc-pressure", collects_in, 2, NULL, "medium/medium: " },
		{ "gc-pressure", collects_in, 1, NULL, "fine: garbage collection: 90 %" },
		{ "gc-pressure", collects_and_waits, 21, NULL,
			"medium/medium: spends 55 % of its CPU time in garbage collection: the "
			"heap is probably almost full [CPU use of garbage collection: 30 % over "
			"5.00s]|[the same with the time in which it waited for a CPU: 51 % over" },
		{ "gc-pressure", collects_and_waits, 19, NULL,
			"fine: garbage collection: 30 % of a CPU" },
		{ "gc-pressure", collects_little, 5, NULL, "medium/" },
		{ "gc-pressure", collects_little, 4, NULL, "fine: " },
		{ "gc-pressure", works_named, 1, NULL, "medium/|<give the heap more room" },
		{ "gc-pressure", works_named, 0, NULL, "fine: no thread with the name" },
		{ "gc-pressure", spins_cpu_unread, HIDDEN, NULL, "blind: permission denied" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void all_spin_on_host(double cpus)
{
	spin_together(2);
	host_has((uint32_t)cpus);
}

static void test_half_of_host(void **state)
{
	/* Together 181 %. */
	static const struct check_case cases[] = {
		{ "cpu-spin", all_spin_on_host, 3, NULL, "high/medium: " },
		{ "cpu-spin", all_spin_on_host, 4, NULL, "medium/medium: " },
		{ "cpu-spin", all_spin_on_host, 1, NULL, "medium/medium: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- busy-poll --- */

/* 100 us of CPU each time. */
static const struct thread_made sleeper = {
	.name = "sleeper", .call = "clock_nanosleep", .cpu = 5, .voluntary = 500
};
static const struct thread_made poller = {
	.call = "poll", .arguments = { 0x1000, 1, 1 }, .cpu = 1, .voluntary = 500
};
static const struct thread_made selecter = {
	.call = "select", .arguments = { 4, 0x1000, 0, 0, 0x2000 }, .cpu = 1, .voluntary = 500
};

ONE_THREAD(sleeps_often, sleeper, voluntary)
ONE_THREAD(sleeps_cpu, sleeper, cpu)
ONE_THREAD(sleeps_moved, sleeper, moved)
ONE_THREAD(sleeps_looks, sleeper, looks)
ONE_THREAD(sleeps_unread, sleeper, io_state)
ONE_THREAD(sleeps_unseen, sleeper, syscall_state)
ONE_THREAD(sleeps_unmeasured, sleeper, switches_state)
ONE_THREAD(polls_often, poller, voluntary)
ONE_THREAD(polls_for_ms, poller, arguments[2])
ONE_THREAD(selects_with, selecter, arguments[4])

/* Beside another thread. */
static void selects_beside(struct thread_made other)
{
	other.tid = PID + 1;
	is_there();
	thread(selecter);
	thread(other);
	threads_read(2);
}

static void selects_beside_cpu(double cpu)
{
	selects_beside((struct thread_made){ .cpu = cpu });
}

static void selects_beside_wakes(double wakes)
{
	selects_beside((struct thread_made){ .voluntary = wakes });
}

/* In so many readings it reads instead. */
static void sleeps_but_reads(double looks)
{
	struct thread_made other = sleeper;

	other.call = "read";
	is_there();
	for (int i = 0; i < LOOKS; i++)
		thread_at(i, i < (int)looks ? &other : &sleeper, false);
	threads_read(1);
}

static void waits_for_data(double value)
{
	struct thread_made m = poller;

	(void)value;
	m.call = "read";
	is_there();
	thread(m);
	threads_read(1);
}

static void six_poll(double threads)
{
	struct thread_made m = sleeper;

	is_there();
	for (uint32_t i = 0; i < (uint32_t)threads; i++) {
		m.tid = PID + i;
		m.voluntary = 500 + i;
		thread(m);
	}
	threads_read((uint32_t)threads);
}

static void test_busy_poll(void **state)
{
	static const struct check_case cases[] = {
		{ "busy-poll", sleeps_often, 500, NULL,
			"medium/medium: polls without work: thread sleeper (99) wakes 500 times a "
			"second {thread 99} [wakeups: 500 a second over 5.00s] [CPU: 5 % over "
			"5.00s] [CPU time used per wakeup: 100us over|[woken by: sleeping in "
			"clock_nanosleep]" },
		{ "busy-poll", sleeps_often, 499, NULL, "fine: at most 499 wakeups a second" },
		{ "busy-poll", sleeps_cpu, 7, NULL, "medium/medium: " },
		{ "busy-poll", sleeps_cpu, 8, NULL, "fine: " },
		{ "busy-poll", sleeps_cpu, 5, "busy-poll.max-cpu=100us", "medium/medium: " },
		{ "busy-poll", sleeps_cpu, 5, "busy-poll.max-cpu=99us", "fine: " },
		{ "busy-poll", sleeps_moved, 2000, NULL, "medium/medium: " },
		{ "busy-poll", sleeps_moved, 2001, NULL,
			"fine: the busiest thread wakes 500 times a second, and has work" },
		{ "busy-poll", sleeps_looks, 3, NULL, "medium/medium: " },
		{ "busy-poll", sleeps_looks, 2, NULL, "fine: " },
		{ "busy-poll", sleeps_unread, HIDDEN, NULL, "low/low: " },
		{ "busy-poll", sleeps_unseen, HIDDEN, NULL,
			"blind: |<run sooth as the user of the process" },
		{ "busy-poll", sleeps_unseen, GONE, NULL,
			"=blind: the process exited before sooth could read this <>\n" },
		{ "busy-poll", sleeps_unmeasured, HIDDEN, NULL,
			"blind: permission denied <run sooth as the user of the process" },
		{ "busy-poll", sleeps_unmeasured, GONE, NULL,
			"=blind: the process exited before sooth could read this <>\n" },
		/* A time-out of 1 ms makes 1000 wakes, and a little more is not to be told. */
		{ "busy-poll", polls_often, 1050, NULL,
			"medium/medium: |[woken by: timeouts of 1.0 ms in poll: at most 1000 "
			"wakeups" },
		{ "busy-poll", polls_often, 1051, NULL, "fine: " },
		{ "busy-poll", polls_for_ms, 2, NULL, "medium/medium: |at most 500 wakeups" },
		{ "busy-poll", polls_for_ms, 3, NULL, "fine: " },
		{ "busy-poll", polls_for_ms, (double)UINT32_MAX, NULL, "fine: " },
		{ "busy-poll", selects_with, 1, NULL,
			"low/low: |[woken by: its own timeouts in select: no other thread" },
		{ "busy-poll", selects_with, 0, NULL, "fine: " },
		{ "busy-poll", selects_beside_cpu, 5, NULL, "low/low: " },
		{ "busy-poll", selects_beside_cpu, 6, NULL, "fine: " },
		{ "busy-poll", selects_beside_wakes, 124, NULL, "low/low: " },
		{ "busy-poll", selects_beside_wakes, 125, NULL, "fine: " },
		{ "busy-poll", sleeps_but_reads, 1, NULL, "medium/medium: " },
		{ "busy-poll", sleeps_but_reads, 2, NULL, "fine: " },
		{ "busy-poll", waits_for_data, 0, NULL, "fine: " },
		{ "busy-poll", six_poll, 6, NULL,
			"medium/medium: polls without work: 6 threads wake 3015 times a second in "
			"total|[thread: sleeper (104): 505|!sleeper (99)|[more threads: 1]" },
		{ "busy-poll", six_poll, 5, NULL, "medium/|sleeper (99)|!more threads" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- lock-storm --- */

/* At a lock that glibc has marked as held, in memory of its own: the third argument is 2. */
static const struct thread_made locker = { .name = "locker",
	.call = "futex",
	.arguments = { 0x1000, 128, 2 },
	.cpu = 10,
	.system = 70,
	.voluntary = 1000 };
static const struct thread_made giver = {
	.name = "giver", .state = 'R', .cpu = 5, .waited = 90, .system = 90, .involuntary = 1000
};

#define TWO_THREADS(name, base, member)                                                            \
	static void name(double value)                                                             \
	{                                                                                          \
		struct thread_made m = base;                                                       \
                                                                                                   \
		m.member = (__typeof__(m.member))value;                                            \
		is_there();                                                                        \
		thread(m);                                                                         \
		m.tid = PID + 1;                                                                   \
		thread(m);                                                                         \
		threads_read(2);                                                                   \
	}

TWO_THREADS(lock_often, locker, voluntary)
TWO_THREADS(lock_cpu, locker, cpu)
TWO_THREADS(lock_system, locker, system)
TWO_THREADS(lock_moved, locker, moved)
TWO_THREADS(lock_looks, locker, looks)
TWO_THREADS(lock_times_unread, locker, times_state)
TWO_THREADS(lock_switches_unread, locker, switches_state)
TWO_THREADS(lock_unread, locker, io_state)
TWO_THREADS(lock_unseen, locker, syscall_state)
TWO_THREADS(give_often, giver, involuntary)
TWO_THREADS(give_voluntary, giver, voluntary)
TWO_THREADS(give_cpu, giver, cpu)
TWO_THREADS(give_waited, giver, waited)

/* Whoever had the processor was met by the ticks. */
static void give_unmet(double cpu)
{
	struct thread_made m = giver;

	m.cpu = cpu;
	m.system = 0;
	is_there();
	thread(m);
	m.tid = PID + 1;
	thread(m);
	threads_read(2);
}

static void lockers(double threads)
{
	struct thread_made m = locker;

	is_there();
	for (uint32_t i = 0; i < (uint32_t)threads; i++) {
		m.tid = PID + i;
		m.cpu = 20;
		thread(m);
	}
	threads_read((uint32_t)threads);
}

static void lock_beside(double cpu)
{
	is_there();
	for (uint32_t i = 0; i < 2; i++) {
		struct thread_made m = locker;

		m.tid = PID + i;
		thread(m);
	}
	thread((struct thread_made){ .tid = PID + 2, .cpu = cpu });
	threads_read(3);
}

/* In so many readings they read instead. */
static void lock_but_read(double looks)
{
	struct thread_made other = locker, own = locker;

	other.call = "read";
	is_there();
	for (uint32_t i = 0; i < 2; i++) {
		other.tid = own.tid = PID + i;
		for (int k = 0; k < LOOKS; k++)
			thread_at(k, k < (int)looks ? &other : &own, false);
	}
	threads_read(2);
}

/* Met running each time, so at no lock. */
static void lock_and_run(double looks)
{
	struct thread_made m = locker;

	m.running = (int)looks;
	is_there();
	thread(m);
	m.tid = PID + 1;
	thread(m);
	threads_read(2);
}

/* Four that compute by turns, a hundred times a second: met at the lock but for some samples. */
static void convoy_of(struct thread_made m, uint32_t count)
{
	m.system = 5;
	m.cpu = m.cpu ? m.cpu : 25;
	m.voluntary = m.voluntary ? m.voluntary : 100;
	m.running = m.running ? m.running : 2;
	is_there();
	for (uint32_t i = 0; i < count; i++) {
		m.tid = PID + i;
		thread(m);
	}
	threads_read(count);
}

static void convoy(double count)
{
	convoy_of(
		(struct thread_made){
			.name = "worker", .call = "futex", .arguments = { 0x1000, 128, 2 } },
		(uint32_t)count);
}

static void convoy_runs(double looks)
{
	convoy_of((struct thread_made){ .name = "worker",
			  .call = "futex",
			  .arguments = { 0x1000, 128, 2 },
			  .running = (int)looks },
		4);
}

static void convoy_runs_of_five(double looks)
{
	convoy_of((struct thread_made){ .name = "worker",
			  .call = "futex",
			  .arguments = { 0x1000, 128, 2 },
			  .running = (int)looks },
		5);
}

static void convoy_switches(double each_s)
{
	convoy_of((struct thread_made){ .name = "worker",
			  .call = "futex",
			  .arguments = { 0x1000, 128, 2 },
			  .voluntary = each_s },
		4);
}

/* Four by turns; of so many samples each is asleep in `call` with the lock. */
static void rests_in(const char *call, int looks, double switches)
{
	struct thread_made at_lock = { .name = "worker",
		.cpu = 0.1,
		.voluntary = switches,
		.call = "futex",
		.arguments = { 0x1000, 128, 2 } };

	is_there();
	for (uint32_t i = 0; i < 4; i++) {
		struct thread_made with_lock = at_lock;

		at_lock.tid = with_lock.tid = PID + i;
		with_lock.call = call;
		memset(with_lock.arguments, 0, sizeof(with_lock.arguments));
		for (int k = 0; k < LOOKS; k++)
			thread_at(k, k < looks ? &with_lock : &at_lock, false);
	}
	threads_read(4);
}

static void rests(double looks)
{
	rests_in("clock_nanosleep", (int)looks, 25);
}

static void rests_seldom(double switches)
{
	rests_in("clock_nanosleep", 1, switches);
}

/* One of them waits for the next client, the others for their turn to do so. */
static void polls_by_turns(double value)
{
	(void)value;
	rests_in("accept", 1, 25);
}

/* A pool, whose threads wait for work: a value that no lock of glibc has. */
static void pool_waits(double value)
{
	convoy_of((struct thread_made){ .name = "worker",
			  .call = "futex",
			  .arguments = { 0x1000, 128, (uint64_t)value } },
		4);
}

/* As Python waits for its lock: with a timeout. */
static void interpreter(double has_timeout)
{
	runs = "/usr/bin/python3.11";
	convoy_of((struct thread_made){ .name = "worker",
			  .call = "futex",
			  .arguments = { 0x1000, 137, 0, has_timeout > 0 ? 0x2000 : 0 } },
		4);
}

static void no_interpreter(double value)
{
	convoy_of((struct thread_made){ .name = "worker",
			  .call = "futex",
			  .arguments = { 0x1000, 137, 0, (uint64_t)value } },
		4);
}

static void test_convoy(void **state)
{
	static const struct check_case cases[] = {
		{ "lock-storm", convoy, 4, NULL,
			"medium/medium: lock convoy: 4 threads wait for one lock in turn, and use "
			"100 % CPU "
			"together"
			"|[threads: 4] [threads that wait for the lock, on average: 2.67 |[context "
			"switches: 400 a second |sooth why -v 99 " },
		{ "lock-storm", convoy, 5, NULL, "medium/high: " },
		{ "lock-storm", convoy, 3, NULL, "medium/medium: " },
		{ "lock-storm", convoy, 2, NULL, "fine: " },
		{ "lock-storm", convoy, 2, "lock-storm.convoy-threads=2", "medium/medium: " },
		{ "lock-storm", convoy, 4, "lock-storm.percent=101", "fine: " },
		{ "lock-storm", convoy_runs, 3, NULL,
			"medium/medium: lock contention: 4 threads wait for locks 50 % of the "
			"time, and use 100 % CPU together" },
		{ "lock-storm", convoy_runs, 3, "lock-storm.contended=51", "fine: " },
		{ "lock-storm", convoy_runs, 4, NULL, "medium/medium: lock contention: |33 %" },
		{ "lock-storm", convoy_runs_of_five, 5, NULL, "low/high: lock contention: |17 %" },
		/* Four samples at the lock. */
		{ "lock-storm", convoy_runs, 5, NULL, "fine: " },
		{ "lock-storm", rests, 2, NULL,
			"medium/medium: lock convoy: 4 threads wait for one lock in turn, and each "
			"sleeps or waits for a disk while it holds the lock" },
		{ "lock-storm", rests, 3, NULL, "fine: " },
		{ "lock-storm", rests_seldom, 5, NULL, "medium/medium: " },
		{ "lock-storm", rests_seldom, 4, NULL, "fine: " },
		{ "lock-storm", polls_by_turns, 0, NULL, "fine: " },
		{ "lock-storm", convoy_switches, 5, NULL, "medium/medium: " },
		{ "lock-storm", convoy_switches, 4, NULL, "fine: " },
		{ "lock-storm", pool_waits, 2, NULL, "medium/medium: " },
		{ "lock-storm", pool_waits, 0, NULL, "fine: " },
		{ "lock-storm", interpreter, 1, NULL,
			"medium/medium: one thread of the interpreter runs at a time: 4 "
			"threads|use "
			"processes" },
		{ "lock-storm", interpreter, 0, NULL, "fine: " },
		{ "lock-storm", no_interpreter, 0x2000, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_lock_storm(void **state)
{
	static const struct check_case cases[] = {
		{ "lock-storm", lock_often, 1000, NULL,
			"medium/high: lock contention: 2 threads burn 20 % CPU [threads: 2] "
			"[sleeps at locks: 2000 a second over 5.00s] [CPU: 20 % over 5.00s] "
			"[kernel share: 70 % over 5.00s]|[thread: locker (99): 1000 times a "
			"second, 10 % CPU]|<use fewer threads, or" },
		{ "lock-storm", lock_often, 999, NULL, "fine: at most 999 context switches" },
		{ "lock-storm", lock_cpu, 9, NULL,
			"fine: 2 threads waiting for locks, 2000 times" },
		{ "lock-storm", lock_cpu, 10, "lock-storm.percent=20.1", "fine: " },
		{ "lock-storm", lock_system, 59, NULL,
			"fine: |59 % of the CPU time in the kernel" },
		{ "lock-storm", lock_system, 61, NULL, "medium/high: " },
		{ "lock-storm", lock_moved, 16000, NULL, "medium/high: " },
		{ "lock-storm", lock_moved, 16001, NULL, "fine: " },
		{ "lock-storm", lock_looks, 3, NULL, "medium/high: " },
		{ "lock-storm", lock_looks, 2, NULL, "fine: at most" },
		{ "lock-storm", lock_times_unread, HIDDEN, NULL, "blind: kernel time" },
		{ "lock-storm", lock_switches_unread, HIDDEN, NULL,
			"blind: permission denied <run sooth as the user of the process" },
		{ "lock-storm", lock_unread, HIDDEN, NULL, "medium/medium: " },
		{ "lock-storm", lock_unseen, HIDDEN, NULL,
			"blind: |<run sooth as the user of the process" },
		{ "lock-storm", lock_unseen, GONE, NULL,
			"=blind: the process exited before sooth could read this <>\n" },
		{ "lock-storm", lockers, 1, NULL, "fine: 1 thread waiting for locks" },
		{ "lock-storm", lockers, 2, "lock-storm.min-threads=2", "medium/high: " },
		{ "lock-storm", lockers, 2, "lock-storm.min-threads=3", "fine: " },
		{ "lock-storm", lockers, 5, NULL,
			"medium/high: lock contention: 5 threads|!more threads" },
		{ "lock-storm", lockers, 6, NULL,
			"medium/high: lock contention: 6 threads|[more threads: 1]" },
		{ "lock-storm", lock_beside, 9, NULL, "medium/high: " },
		{ "lock-storm", lock_beside, 10, NULL, "fine: " },
		{ "lock-storm", lock_but_read, 2, NULL, "medium/high: " },
		{ "lock-storm", lock_but_read, 3, NULL, "fine: at most" },
		{ "lock-storm", lock_and_run, 5, NULL, "medium/high: " },
		{ "lock-storm", lock_and_run, 6, NULL, "fine: 2 threads waiting for locks" },
		{ "lock-storm", lock_and_run, 5, "lock-storm.min-met=2", "medium/high: " },
		{ "lock-storm", lock_and_run, 5, "lock-storm.min-met=3", "fine: " },
		{ "lock-storm", give_often, 1000, NULL,
			"medium/high: threads keep yielding to each other: 2 threads burn 10 % "
			"CPU|[yields: 2000 a second|<use fewer threads than CPUs" },
		{ "lock-storm", give_often, 999, NULL, "fine: " },
		{ "lock-storm", give_voluntary, 99, NULL, "medium/high: " },
		{ "lock-storm", give_voluntary, 100, NULL, "fine: " },
		/* 50 us each time. */
		{ "lock-storm", give_cpu, 5, NULL, "medium/high: " },
		{ "lock-storm", give_cpu, 6, NULL, "fine: " },
		/* The CPU time that they want counts. */
		{ "lock-storm", give_waited, 5, NULL, "medium/high: " },
		{ "lock-storm", give_waited, 4, NULL, "fine: " },
		/* A tenth of a second of both, over five. */
		{ "lock-storm", give_unmet, 1.1, NULL, "fine: |0 % of the CPU time" },
		{ "lock-storm", give_unmet, 0.9, NULL,
			"blind: other processes had the CPUs|<try again" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu_spin),
		cmocka_unit_test(test_spin_by_one_look),
		cmocka_unit_test(test_gc_pressure),
		cmocka_unit_test(test_half_of_host),
		cmocka_unit_test(test_busy_poll),
		cmocka_unit_test(test_lock_storm),
		cmocka_unit_test(test_convoy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
