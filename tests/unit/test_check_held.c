/* SPDX-License-Identifier: BSD-2-Clause */
/* held-back, at both sides of its thresholds. */
#include "check_threads.h"

#include "probes/limits.h"

static void group_at(double s, const char *name, struct limits_group g)
{
	struct record_tail tail[] = { put_text(&g.name, name), put_text(&g.path, "/box") };
	struct limits_process end = { .record = head_of(s, PID, LIMITS_PROCESS) };

	g.record = head_of(s, PID, LIMITS_GROUP);
	g.version = g.version ? g.version : 2;
	RECORD_APPEND(&records, &g, tail, 2);
	RECORD_APPEND(&records, &end, NULL, 0);
}

/* Over five seconds it used so much of one CPU, and one thread waited for it; in so many samples it
 * could run. */
static void could_run(double percent, double waited, int looks)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .cpu_ns = (uint64_t)(i * percent * 1e7) },
			"worker");
		all_reported(i);
	}
	thread((struct thread_made){
		.cpu = percent, .waited = waited, .state = 'S', .running = looks });
	threads_read(1);
}

static void uses(double percent, double waited)
{
	could_run(percent, waited, LOOKS - 1);
}

static void reaches(const char *name, double times, struct limits_group g)
{
	group_at(0, name, g);
	g.reached = (uint64_t)(times * (LOOKS - 1));
	group_at(LOOKS - 1, name, g);
}

/* A fifth of a CPU, and that is used up so often a second. */
static void is_throttled(double times)
{
	uses(20, 70);
	reaches("cpu", times, (struct limits_group){ .limit = 200000 });
}

static void is_throttled_old(double times)
{
	uses(20, 70);
	reaches("cpu", times, (struct limits_group){ .limit = 200000, .version = 1 });
}

/* Others of its group use it up; it uses so much itself. */
static void uses_little(double percent)
{
	uses(percent, 0);
	reaches("cpu", 10, (struct limits_group){ .limit = 200000 });
}

/* Ready to run so much of the time; another process of its group uses the quota. */
static void is_throttled_by(double waited, uint32_t other, const char *place)
{
	struct limits_holder h = { .holder_pid = other, .resource = LIMITS_SHARED_CPU };

	for (int i = 0; i < LOOKS; i++)
		process_at(i,
			(struct proc_process){
				.record.pid = 72, .cpu_ns = (uint64_t)i * 180000000 },
			"reindex");
	uses(2, waited);
	group_at(0, "cpu", (struct limits_group){ .limit = 200000 });
	used_by(LOOKS - 1, h, "reindex", place, "");
	h.holder_pid = PID;
	used_by(LOOKS - 1, h, "worker", "/box", "");
	group_at(LOOKS - 1, "cpu",
		(struct limits_group){ .limit = 200000, .reached = 10 * (LOOKS - 1) });
}

static void is_throttled_by_other(double waited)
{
	is_throttled_by(waited, 72, "/box");
}

static void is_throttled_elsewhere(double waited)
{
	is_throttled_by(waited, 72, "/elsewhere");
}

/* May run on CPU 3 only, where another process runs or it is alone. */
static void is_bound_with(double waited, uint32_t other)
{
	struct limits_holder h = { .holder_pid = other, .resource = LIMITS_SHARED_CPUS };

	for (int i = 0; i < LOOKS; i++)
		process_at(i,
			(struct proc_process){
				.record.pid = 72, .cpu_ns = (uint64_t)i * 900000000 },
			"relay");
	uses(100 - waited, waited);
	used_by(LOOKS - 1, h, "relay", "3", "");
	used_by_end(LOOKS - 1);
}

static void is_bound(double waited)
{
	is_bound_with(waited, 72);
}

static void is_bound_alone(double waited)
{
	is_bound_with(waited, PID);
}

static void has_no_quota(double times)
{
	uses(20, 70);
	reaches("cpu", times, (struct limits_group){ .limit_state = SOOTH_STATE_ABSENT });
}

static void is_above_high(double times)
{
	uses(20, 0);
	reaches("memory-high", times, (struct limits_group){ .limit = 64 << 20, .used = 65 << 20 });
}

/* It could run always, and has that much. */
static void gets(double percent)
{
	uses(percent, 100 - percent);
}

/* Its wait goes on: the kernel has not counted it yet. */
static void waits_all_the_time(double looks)
{
	could_run(0, 0, (int)looks);
}

static void is_rarely_ready(double percent)
{
	uses(1, percent - 1);
}

/* So many kilobytes a second are read and written by a thread that waits for the disk in so many of
 * ten samples. */
static void moves(double kilobytes, int waits, const char *limit)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .cpu_ns = 1 }, "worker");
		all_reported(i);
	}
	thread((struct thread_made){
		.moved = kilobytes * 1024, .state = 'D', .running = LOOKS - waits });
	threads_read(1);
	group_at(0, limit, (struct limits_group){ .limit = 1 << 20 });
	group_at(LOOKS - 1, limit, (struct limits_group){ .limit = 1 << 20 });
}

static void reads_limited(double kilobytes)
{
	moves(kilobytes, LOOKS, "io-read");
}

static void writes_limited(double kilobytes)
{
	moves(kilobytes, LOOKS, "io-write");
}

static void waits_for_disk(double samples)
{
	moves(1024, (int)samples, "io-read");
}

static void has_other_limit(double kilobytes)
{
	moves(kilobytes, LOOKS, "memory");
}

static void test_held(void **state)
{
	static const struct check_case cases[] = {
		{ "held-back", is_throttled, 5, NULL,
			"medium/high: held back by the CPU quota of its control group: 0.20 "
			"CPUs, used up 5.0 times a second|[limit is set in: cpu.max of the "
			"control group /box (version 2)]|[share of the time in which it was "
			"ready to run and got no CPU: 70 % over 5.00s]|<raise cpu.max of /box" },
		{ "held-back", is_throttled, 4.8, NULL, "low/high: held back by the CPU quota" },
		{ "held-back", is_throttled, 2, NULL, "low/high: " },
		{ "held-back", is_throttled, 1.8, NULL,
			"=fine: ready to run and not running: 70 % of the time\n" },
		{ "held-back", is_throttled_old, 5, NULL, "medium/high: |<raise cpu.cfs_quota_us" },
		{ "held-back", uses_little, 5, NULL, "medium/high: " },
		{ "held-back", uses_little, 4.9, NULL, "fine: " },
		{ "held-back", has_no_quota, 9, NULL, "fine: " },
		{ "held-back", is_above_high, 1, NULL,
			"medium/high: held back by memory.high|[limit: 64.0M] [memory in use: "
			"65.0M] <raise memory.high of /box" },
		{ "held-back", is_above_high, 0.8, NULL, "fine: " },
		{ "held-back", reads_limited, 512, NULL,
			"medium/medium: held back by the I/O limit of its control group: may read "
			"1.0 MiB a second, and waits for the disk 100 % of the time {thread "
			"99}|[limit is set in: io.max of|<raise io.max of "
			"/box|IOReadBandwidthMax" },
		{ "held-back", reads_limited, 511, NULL, "fine: " },
		{ "held-back", reads_limited, 2250, NULL, "medium/" },
		{ "held-back", reads_limited, 2256, NULL, "fine: " },
		{ "held-back", writes_limited, 1024, NULL, "medium/medium: |may write 1.0 MiB" },
		{ "held-back", waits_for_disk, LOOKS / 2, NULL, "medium/" },
		{ "held-back", waits_for_disk, LOOKS / 2 - 1, NULL, "fine: " },
		{ "held-back", has_other_limit, 1024, NULL, "fine: " },
		{ "held-back", gets, 5, NULL,
			"low/medium: starved by other processes: ready to run 100 % of the time, "
			"gets 5.0 % of a CPU {thread 99}|<end processes that are not needed" },
		{ "held-back", gets, 6, NULL, "fine: " },
		{ "held-back", is_throttled_by_other, 50, NULL,
			"medium/high: held back by the CPU quota of its control group: 0.20 CPUs, "
			"used up 10.0 times a second; reindex (72) uses 18 % of a CPU, this "
			"process 2.0 %" },
		{ "held-back", is_throttled_by_other, 49, NULL, "fine: " },
		{ "held-back", is_throttled_elsewhere, 50, NULL, "fine: " },
		{ "held-back", is_bound, 70, NULL,
			"medium/medium: starved by other processes on CPU 3, the only one that it "
			"may use: ready to run 100 % of the time, gets 30.0 % of a CPU; relay (72) "
			"uses 90 % of a CPU (last seen there)|!which processes use" },
		{ "held-back", is_bound, 69, NULL, "fine: " },
		{ "held-back", is_bound_alone, 70, NULL, "fine: " },
		{ "held-back", waits_all_the_time, LOOKS, NULL,
			"low/medium: starved by other processes: ready to run 100 % of the time, "
			"gets 0.0 % of a CPU" },
		{ "held-back", waits_all_the_time, LOOKS - 1, NULL, "fine: " },
		{ "held-back", is_rarely_ready, 80, NULL, "low/medium: starved" },
		{ "held-back", is_rarely_ready, 79, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- cpu-limit-near --- */

static void limit_of_at(double s, const char *name, struct limits_resource l)
{
	struct record_tail tail[] = { put_text(&l.name, name) };
	struct limits_process end = { .record = head_of(s, PID, LIMITS_PROCESS) };

	l.record = head_of(s, PID, LIMITS_RESOURCE);
	RECORD_APPEND(&records, &l, tail, 1);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void limit_at(double s, struct limits_resource l)
{
	is_there();
	limit_of_at(s, "CPU", l);
}

static void has_used(double seconds)
{
	limit_at(5, (struct limits_resource){ .used = (uint64_t)seconds,
			    .soft = 1000,
			    .hard_state = SOOTH_STATE_ABSENT });
}

static void has_used_of_hard(double seconds)
{
	limit_at(5,
		(struct limits_resource){ .used = (uint64_t)seconds, .soft = 1000, .hard = 1000 });
}

/* Half of its hard limit, and the kernel has raised the soft one. */
static void handles_signal(double hard)
{
	limit_at(0, (struct limits_resource){ .used = 499, .soft = 500, .hard = (uint64_t)hard });
	limit_at(5, (struct limits_resource){ .used = 500, .soft = 501, .hard = (uint64_t)hard });
}

static void handles_without_limit(double used)
{
	limit_at(
		5, (struct limits_resource){
			   .used = (uint64_t)used, .soft = 500, .hard_state = SOOTH_STATE_ABSENT });
}

static void has_no_cpu_limit(double seconds)
{
	limit_at(5, (struct limits_resource){
			    .used = (uint64_t)seconds, .soft_state = SOOTH_STATE_ABSENT });
}

static void use_is_hidden(double state)
{
	limit_at(5, (struct limits_resource){ .soft = 1000, .used_state = (uint8_t)state });
}

static void limits_not_read(double value)
{
	(void)value;
	is_there();
}

static void test_cpu_limit_near(void **state)
{
	static const struct check_case cases[] = {
		{ "cpu-limit-near", has_used, 800, NULL,
			"=high/high: almost out of CPU time: 13 min 20 s of 16 min 40 s in use; at "
			"the limit the kernel ends the process (SIGXCPU) [CPU time: 13m20s] [soft "
			"limit: 16m40s] [used: 80 %] <remove the limit now: prlimit --pid 99 "
			"--cpu=unlimited>\n" },
		{ "cpu-limit-near", has_used, 799, NULL,
			"=fine: CPU time: 13 min 19 s of 16 min 40 s\n" },
		{ "cpu-limit-near", has_used, 30, "cpu-limit-near.percent=3",
			"high/high: almost out of CPU time: 30 s of|[CPU time: 30s]" },
		{ "cpu-limit-near", has_used, 998, NULL, "high/high: |!(unseen" },
		{ "cpu-limit-near", has_used, 999, NULL, "high/medium: |(unseen: whether the" },
		{ "cpu-limit-near", has_used_of_hard, 900, NULL, "high/high: |<as root: prlimit" },
		{ "cpu-limit-near", handles_signal, 625, NULL,
			"critical/high: |of 10 min 25 s in use|(SIGKILL)|[hard limit: 10m25s]|<as "
			"root|!(unseen" },
		{ "cpu-limit-near", handles_signal, 626, NULL,
			"fine: CPU time: 8 min 20 s of 10 min" },
		{ "cpu-limit-near", handles_without_limit, 500, NULL,
			"=fine: CPU time: no limit\n" },
		{ "cpu-limit-near", handles_without_limit, 499, NULL, "high/medium: " },
		{ "cpu-limit-near", has_no_cpu_limit, 900, NULL, "=fine: CPU time: no limit\n" },
		{ "cpu-limit-near", use_is_hidden, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION),
			NULL, "blind: " },
		{ "cpu-limit-near", limits_not_read, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- limit-near --- */

static void has_address_space(double mib)
{
	is_there();
	limit_of_at(5, "AS",
		(struct limits_resource){ .used = (uint64_t)mib << 20,
			.soft = 1000 << 20,
			.hard_state = SOOTH_STATE_ABSENT });
}

static void has_queued(double signals)
{
	is_there();
	limit_of_at(5, "SIGPENDING",
		(struct limits_resource){ .used = (uint64_t)signals, .soft = 100, .hard = 400 });
}

static void file_at_limit(double bytes)
{
	struct fds_process end = { .record = head_of(5, PID, FDS_PROCESS) };
	struct fds_descriptor d = { .record = head_of(5, PID, FDS_DESCRIPTOR),
		.type = FDS_FILE,
		.access = FDS_ACCESS_WRITE,
		.size_bytes = (uint64_t)bytes };
	struct record_tail tail[] = { put_text(&d.path, "/srv/app.log") };

	is_there();
	limit_of_at(5, "FSIZE",
		(struct limits_resource){
			.used_state = SOOTH_STATE_ABSENT, .soft = 1 << 20, .hard = 1 << 20 });
	RECORD_APPEND(&records, &d, tail, 1);
	RECORD_APPEND(&records, &end, NULL, 0);
}

/* Two processes of a user have so many threads. */
static void user_has_threads(double threads)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .uid = 7, .threads = 10 }, "thing");
		process_at(i,
			(struct proc_process){
				.record.pid = 200, .uid = 7, .threads = (uint32_t)threads - 10 },
			"other");
		all_reported(i);
	}
	limit_of_at(5, "NPROC",
		(struct limits_resource){
			.used_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED),
			.soft = 20,
			.hard = 20 });
}

static void host_uses(enum host_resource resource, double used)
{
	struct host_limit l = { .record = head_of(5, 0, HOST_LIMIT),
		.used = (uint64_t)used,
		.limit = 100,
		.resource = resource };

	is_there();
	RECORD_APPEND(&records, &l, NULL, 0);
}

static void host_has_terminals(double used)
{
	host_uses(HOST_TERMINALS, used);
}

static void host_has_tasks(double used)
{
	host_uses(HOST_TASKS, used);
}

static void test_limit_near(void **state)
{
	static const struct check_case cases[] = {
		{ "limit-near", has_address_space, 800, NULL,
			"=medium/high: almost out of address space: 800 MiB of 1000 MiB in use; at "
			"the limit allocations fail (ENOMEM) [address space: 800M] [soft limit: "
			"1000M] [used: 80 %] <remove the limit now: prlimit --pid 99 "
			"--as=unlimited>\n" },
		{ "limit-near", has_address_space, 799, NULL,
			"fine: address space: 799 MiB of 1000 MiB; memory for data: not measured" },
		{ "limit-near", has_address_space, 1001, NULL,
			"fine: address space: 1001 MiB of 1000 MiB, a limit that was set later" },
		{ "limit-near", has_queued, 100, NULL,
			"medium/high: out of signals queued for its user: 100 of 100 in use; "
			"timers|<raise the "
			"limit now: prlimit --pid 99 --sigpending=400:400>" },
		{ "limit-near", file_at_limit, 1 << 20, NULL,
			"medium/high: out of file size: 1.0 MiB of 1.0 MiB in use, the file "
			"/srv/app.log; writes fail" },
		{ "limit-near", file_at_limit, 1 << 19, NULL,
			"fine: |file size: 512 KiB of 1.0 MiB" },
		{ "limit-near", user_has_threads, 16, NULL,
			"medium/medium: almost out of processes and threads: 16 of 20 that the "
			"user may have are in use, 10 by this process; at the limit fork" },
		{ "limit-near", user_has_threads, 15, NULL,
			"fine: |processes and threads: 15 of 20" },
		{ "host limit-near", host_has_terminals, 100, NULL,
			"medium/high: out of pseudo terminals: 100 of 100 in use; no tool|<as "
			"root: "
			"sysctl kernel.pty.max=400 raises" },
		{ "host limit-near", host_has_terminals, 79, NULL,
			"fine: pseudo terminals: 79 of 100" },
		{ "host limit-near", host_has_tasks, 90, NULL,
			"medium/high: almost out of PIDs: 90 of 100 in use" },
		{ "limit-near", limits_not_read, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- process-limit-reached --- */

static void are_there(void)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .record.pid = 1, .ppid = 2 }, "init");
		process_at(i, (struct proc_process){ .record.pid = 72 }, "node");
		process_at(i, (struct proc_process){ .record.pid = 73 }, "node");
		process_at(i, (struct proc_process){ .ppid = 72 }, "worker");
		all_reported(i);
	}
}

/* Two other processes of one script, whose parent is init now, have seven, and it has three. */
static void tasks_of(const char *place, const char *script)
{
	struct limits_holder h = { .holder_pid = 72, .amount = 4, .resource = LIMITS_SHARED_TASKS };

	used_by(LOOKS - 1, h, "node", place, script);
	h.holder_pid = 73;
	h.amount = 3;
	used_by(LOOKS - 1, h, "node", place, script);
	h.holder_pid = PID;
	used_by(LOOKS - 1, h, "worker", place, "");
}

static struct limits_group tasks(double used)
{
	return (struct limits_group){ .used = (uint64_t)used, .limit = 10 };
}

static void tasks_from_to(double used, uint64_t before, uint64_t after)
{
	struct limits_group g = tasks(used);

	are_there();
	g.reached = before;
	group_at(0, "pids", g);
	tasks_of("/box", "lsp.js");
	g.reached = after;
	group_at(LOOKS - 1, "pids", g);
}

static void refuses(double times)
{
	tasks_from_to(9, 4, 4 + (uint64_t)times);
}

static void refused_earlier(double used)
{
	tasks_from_to(used, 4, 4);
}

static void is_full_of_all(double used)
{
	tasks_from_to(used, 0, 0);
}

/* Of a larger group, so many of which were not read. */
static void is_read_in_part(double used)
{
	struct limits_holder h = { .holder_pid = 72,
		.amount = 7,
		.unread = (uint32_t)used - 7,
		.resource = LIMITS_SHARED_TASKS };
	struct limits_group g = { .used = (uint64_t)used, .limit = (uint64_t)used };

	are_there();
	group_at(0, "pids", g);
	used_by(LOOKS - 1, h, "node", "/box", "lsp.js");
	g.reached = 1;
	group_at(LOOKS - 1, "pids", g);
}

/* A kernel that counts no refused starts; full at the end, and so much at the first sample. */
static void is_full_uncounted(double before)
{
	struct limits_group g = tasks(before);

	are_there();
	g.reached_state = SOOTH_STATE_ABSENT;
	group_at(0, "pids", g);
	tasks_of("/box", "");
	g.used = 10;
	group_at(LOOKS - 1, "pids", g);
}

/* Its own group has no limit and counts, as version 1 does; the one above has the limit. */
static void is_refused_by_above(double times)
{
	struct limits_group own = { .used = 4,
		.limit_state = SOOTH_STATE_ABSENT,
		.reached = (uint64_t)times,
		.version = 1 };
	struct limits_group above = { .used = 10, .limit = 10, .version = 1, .is_inherited = 1 };
	struct record_tail tail[] = { put_text(&above.name, "pids"), put_text(&above.path, "/") };

	are_there();
	own.reached = 0;
	group_at(0, "pids", own);
	tasks_of("/", "lsp.js");
	own.reached = (uint64_t)times;
	above.record = head_of(LOOKS - 1, PID, LIMITS_GROUP);
	RECORD_APPEND(&records, &above, tail, 2);
	group_at(LOOKS - 1, "pids", own);
}

static void has_no_task_limit(double used)
{
	struct limits_group g = tasks(used);

	g.limit_state = SOOTH_STATE_ABSENT;
	is_there();
	group_at(LOOKS - 1, "pids", g);
}

static void test_process_limit_reached(void **state)
{
	static const struct check_case cases[] = {
		{ "process-limit-reached", refuses, 1, NULL,
			"high/high: cannot start processes or threads: control group /box has "
			"reached the 10 that it may have (pids.max); 2 node lsp.js (72, 73), which "
			"have outlived their parents, have 7|[starts that it refused: 1 over "
			"5.00s]|(unseen: which process|<end processes of the group that are not "
			"needed (sooth ps -t" },
		{ "process-limit-reached", refuses, 0, NULL,
			"medium/low: can hardly start processes or threads: control group /box has "
			"9 of the 10 that it may have (pids.max); 2 node" },
		{ "process-limit-reached", refused_earlier, 10, NULL,
			"medium/medium: cannot start|[starts that it refused since it was created: "
			"4]" },
		{ "process-limit-reached", refused_earlier, 8, NULL,
			"fine: its control group has 8" },
		{ "process-limit-reached", refused_earlier, 8, "process-limit-reached.percent=80",
			"medium/low: can hardly" },
		{ "process-limit-reached", is_read_in_part, 13, NULL,
			"high/high: cannot start|; node lsp.js (72), which has outlived its "
			"parent, has at least 7, of the 1 processes that were read" },
		{ "process-limit-reached", is_read_in_part, 14, NULL,
			"high/high: cannot start|(pids.max); of its members only 1 were read, "
			"and others may have more|" },
		{ "process-limit-reached", is_full_of_all, 10, NULL,
			"=fine: its control group has 10 of 10 processes and threads\n" },
		{ "process-limit-reached", is_full_uncounted, 10, NULL,
			"medium/medium: cannot start|; 2 node (72, 73), which|(unseen: whether a "
			"start was refused: this kernel" },
		{ "process-limit-reached", is_full_uncounted, 9, NULL, "fine: " },
		{ "process-limit-reached", is_refused_by_above, 2, NULL,
			"high/high: cannot start processes or threads: control group / above its "
			"own has reached the 10|2 node lsp.js (72, 73)" },
		{ "process-limit-reached", is_refused_by_above, 0, NULL, "fine: " },
		{ "process-limit-reached", has_no_task_limit, 10, NULL,
			"=fine: its control groups have no limit of processes\n" },
		{ "process-limit-reached", limits_not_read, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_held),
		cmocka_unit_test(test_cpu_limit_near), cmocka_unit_test(test_limit_near),
		cmocka_unit_test(test_process_limit_reached) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
