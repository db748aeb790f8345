/* SPDX-License-Identifier: BSD-2-Clause */
/* ended-abnormally, on ends of every kind. */
#include "check_records.h"

#include "probes/exit_reasons.h"

#define HIDDEN	SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
#define GONE_S	3.0
#define PARENT	50
#define SOMEONE 60

enum { HANGUP = 1, INTERRUPT, QUIT, ILL, TRAP, ABORT, BUS, FPE, KILL, USER1, SEGV };
enum { PIPE = 13, TERMINATE = 15, CPU_LIMIT = 24, SIZE_LIMIT, BAD_CALL = 31 };

/* It is there, and from the third second on no more. */
static void was_there(void)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .record.pid = 200 }, "other");
		if (i < GONE_S)
			process_at(i, (struct proc_process){ .cpu_ns = 7 * NS_PER_S }, "thing");
		all_reported(i);
	}
}

static void signal_sent(struct exit_reasons_signal s, const char *name)
{
	s.record = head_of(GONE_S, PID, EXIT_REASONS_SIGNAL);
	s.sent_ns = at(GONE_S - 0.002);
	s.sender_uid = 1000;
	strcpy(s.sender_name, name);
	strcpy(s.sender_parent_name, "bash");
	RECORD_APPEND(&records, &s, NULL, 0);
}

static struct exit_reasons_end ordinary = { .cpu_soft_s = EXIT_REASONS_UNLIMITED,
	.cpu_hard_s = EXIT_REASONS_UNLIMITED,
	.file_size_bytes = EXIT_REASONS_UNLIMITED,
	.peak_rss_bytes = 5 << 20 };

static void end(uint32_t status, struct exit_reasons_end e)
{
	e.record = head_of(GONE_S, PID, EXIT_REASONS_END);
	e.status = status;
	strcpy(e.name, "thing");
	RECORD_APPEND(&records, &e, NULL, 0);
}

/* --- by whom --- */

static void by_itself(double signal)
{
	was_there();
	signal_sent((struct exit_reasons_signal){ .signal = (uint32_t)signal, .sender_pid = PID },
		"thing");
	end((uint32_t)signal, ordinary);
}

static void by_kernel(double signal)
{
	was_there();
	signal_sent(
		(struct exit_reasons_signal){
			.signal = (uint32_t)signal, .is_from_kernel = 1, .address = 0x10 },
		"");
	end((uint32_t)signal, ordinary);
}

static void by_parent(double signal)
{
	was_there();
	signal_sent((struct exit_reasons_signal){ .signal = (uint32_t)signal,
			    .sender_pid = PARENT,
			    .is_from_parent = 1,
			    .address_state = SOOTH_STATE_ABSENT },
		"parent");
	end((uint32_t)signal, ordinary);
}

/* A helper of Claude Code, by that one or by another process. */
static void of_an_agent(double is_by_parent)
{
	for (int i = 0; i < LOOKS; i++) {
		struct proc_process p = { .record = head_of(i, PARENT, PROC_PROCESS),
			.ppid = 1,
			.state = 'S',
			.threads = 1 };
		struct record_tail tail[] = { put_text(&p.name, "claude"),
			put_text(&p.executable, CLAUDE) };

		RECORD_APPEND(&records, &p, tail, ARRAY_SIZE(tail));
		if (i < GONE_S)
			process_at(i, (struct proc_process){ .ppid = PARENT }, "helper");
		all_reported(i);
	}
	signal_sent((struct exit_reasons_signal){ .signal = KILL,
			    .sender_pid = is_by_parent ? PARENT : SOMEONE,
			    .is_from_parent = is_by_parent > 0,
			    .address_state = SOOTH_STATE_ABSENT },
		is_by_parent ? "claude" : "kill");
	end(KILL, ordinary);
}

static void by_someone(double signal)
{
	was_there();
	signal_sent((struct exit_reasons_signal){ .signal = (uint32_t)signal,
			    .sender_pid = SOMEONE,
			    .sender_parent_pid = 61,
			    .address_state = SOOTH_STATE_ABSENT },
		"kill");
	end((uint32_t)signal, ordinary);
}

static void by_none_seen(double signal)
{
	struct exit_reasons_end e = ordinary;

	was_there();
	e.signals_state = HIDDEN;
	end((uint32_t)signal, e);
}

static void by_sender_that_ended(double signal)
{
	was_there();
	signal_sent((struct exit_reasons_signal){ .signal = (uint32_t)signal,
			    .sender_pid = SOMEONE,
			    .is_sender_ending = 1,
			    .address_state = SOOTH_STATE_ABSENT },
		"starter");
	end((uint32_t)signal, ordinary);
}

static void test_signals(void **state)
{
	static const struct check_case cases[] = {
		{ "ended-abnormally", by_someone, TERMINATE, NULL,
			"=info/high: ended by SIGTERM from kill (pid 60), started by bash (pid 61) "
			"[status: SIGTERM] [sent by: kill (pid 60), started by bash (pid 61)] "
			"[user id of the sender: 1000] [time between the signal and the exit: "
			"2.00ms] [peak memory: 5.0M] <nothing to do, if this exit was "
			"intended>\n" },
		{ "ended-abnormally", by_someone, INTERRUPT, NULL, "info/high: " },
		{ "ended-abnormally", by_someone, HANGUP, NULL, "info/high: " },
		{ "ended-abnormally", by_someone, QUIT, NULL, "info/high: " },
		{ "ended-abnormally", by_someone, USER1, NULL,
			"medium/high: ended by SIGUSR1 from kill|<read the standard" },
		{ "ended-abnormally", by_someone, PIPE, NULL,
			"medium/high: ended by SIGPIPE from" },
		{ "ended-abnormally", by_parent, TERMINATE, NULL,
			"=fine: ended by SIGTERM from its parent parent (pid 50)\n" },
		{ "ended-abnormally", by_itself, TERMINATE, NULL,
			"=fine: ended by SIGTERM from itself\n" },
		{ "ended-abnormally", by_parent, USER1, NULL, "medium/high: |from its parent" },
		{ "ended-abnormally", by_kernel, HANGUP, NULL,
			"info/high: ended by SIGHUP sent by the kernel (for Ctrl-C in a terminal, "
			"or a timer that expired)" },
		{ "ended-abnormally", by_itself, PIPE, NULL,
			"low/high: the process wrote to a pipe or socket without a reader, and the "
			"kernel ended it (SIGPIPE)|!sent by" },
		{ "ended-abnormally", by_none_seen, TERMINATE, NULL,
			"info/high: ended by SIGTERM |(unseen: which process sent" },
		{ "ended-abnormally", by_sender_that_ended, TERMINATE, NULL,
			"info/high: |[because: the process had asked for this signal when its "
			"parent exits" },
		{ "ended-abnormally", by_sender_that_ended, KILL, NULL,
			"medium/high: |[because: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void killed_at_limit(double hard_s)
{
	struct exit_reasons_end e = ordinary;

	was_there();
	e.cpu_hard_s = (uint64_t)hard_s;
	signal_sent(
		(struct exit_reasons_signal){
			.signal = KILL, .is_from_kernel = 1, .address_state = SOOTH_STATE_ABSENT },
		"");
	end(KILL, e);
}

static void limits_are_hidden(double signal)
{
	struct exit_reasons_end e = ordinary;

	was_there();
	e.cpu_hard_s = 10;
	e.limits_state = HIDDEN;
	signal_sent((struct exit_reasons_signal){ .signal = (uint32_t)signal, .is_from_kernel = 1 },
		"");
	end((uint32_t)signal, e);
}

static void met_limits(double signal)
{
	struct exit_reasons_end e = ordinary;

	was_there();
	e.cpu_soft_s = 9;
	e.file_size_bytes = 4096;
	signal_sent((struct exit_reasons_signal){ .signal = (uint32_t)signal,
			    .is_from_kernel = 1,
			    .address_state = SOOTH_STATE_ABSENT },
		"");
	end((uint32_t)signal, e);
}

static void test_kills(void **state)
{
	static const struct check_case cases[] = {
		{ "ended-abnormally", by_someone, KILL, NULL,
			"medium/high: killed by SIGKILL from kill (pid 60)|<find out why" },
		{ "ended-abnormally", by_parent, KILL, NULL,
			"medium/high: killed by SIGKILL from its parent parent" },
		{ "ended-abnormally", of_an_agent, 1, NULL,
			"=fine: killed by SIGKILL from its parent claude (pid 50)\n" },
		{ "ended-abnormally", of_an_agent, 0, NULL,
			"medium/high: killed by SIGKILL from " },
		{ "ended-abnormally", by_itself, KILL, NULL,
			"medium/medium: the process killed itself" },
		{ "ended-abnormally", by_kernel, KILL, NULL,
			"medium/medium: killed by the kernel |<the container" },
		{ "ended-abnormally", by_none_seen, KILL, NULL,
			"medium/medium: killed by SIGKILL |<run sooth as root" },
		{ "ended-abnormally", killed_at_limit, 10, NULL,
			"high/medium: killed by the kernel, perhaps at its hard CPU time "
			"limit|[hard limit of CPU time: 10.0s] [CPU time of the process at the "
			"last sample: 7.00s]|: ulimit -t unlimited>" },
		{ "ended-abnormally", limits_are_hidden, KILL, NULL,
			"medium/medium: killed by the kernel |!hard" },
		{ "ended-abnormally", met_limits, CPU_LIMIT, NULL,
			"high/high: hit its CPU time limit (SIGXCPU) |[CPU time limit: "
			"9.00s]|ulimit -t unlimited>|!file size" },
		{ "ended-abnormally", met_limits, SIZE_LIMIT, NULL,
			"high/high: hit its file size limit (SIGXFSZ)|[file size limit: "
			"4.0K]|ulimit -f unlimited>|!CPU time" },
		{ "ended-abnormally", by_someone, CPU_LIMIT, NULL,
			"high/high: ended by SIGXCPU from" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- faults and cores --- */

static void core_of(double kept)
{
	struct exit_reasons_core c = { .record = head_of(GONE_S, PID, EXIT_REASONS_CORE),
		.size_bytes = 3 << 20,
		.core_pid = PID,
		.path_state = kept > 0 ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { put_text(&c.path, kept > 0 ? "/cores/core.99" : ""),
		put_text(&c.handler, "/lib/keeper") };

	was_there();
	RECORD_APPEND(&records, &c, tail, 2);
	end(SEGV | EXIT_REASONS_CORE_FLAG, ordinary);
}

static void core_is_unknown(double value)
{
	(void)value;
	was_there();
	end(SEGV | EXIT_REASONS_CORE_FLAG, ordinary);
}

static void logged(double s, uint32_t what, bool is_of_group, uint8_t state)
{
	struct exit_reasons_log l = { .record = head_of(LOOKS - 1, 0, EXIT_REASONS_LOG),
		.logged_ns = at(s),
		.anonymous_bytes = 6 << 20,
		.file_bytes = 2 << 20,
		.address = 0x20,
		.instruction = 0x401136,
		.log_pid = PID,
		.what = what,
		.is_of_group = is_of_group,
		.group_state = state,
		.object_state = state,
		.figures_state = state,
		.name = "thing" };
	struct record_tail tail[] = { put_text(&l.group, "/box"), put_text(&l.object, "libc.so.6"),
		put_text(&l.trap, "segfault") };

	RECORD_APPEND(&records, &l, tail, 3);
}

static void fault_is_logged(double signal)
{
	by_none_seen(signal);
	logged(GONE_S, EXIT_REASONS_LOG_FAULT, false, SOOTH_STATE_VALUE);
}

/* The fault is of a process that had the number earlier. */
static void fault_of_another(double s)
{
	started_s = FROM_S - 100;
	by_none_seen(SEGV);
	logged(s, EXIT_REASONS_LOG_FAULT, false, SOOTH_STATE_VALUE);
}

static void test_faults(void **state)
{
	static const struct check_case cases[] = {
		{ "ended-abnormally", by_kernel, SEGV, NULL,
			"=high/high: crashed: SIGSEGV at address 0x10 [status: SIGSEGV] [sent by: "
			"the kernel] [address: 0x10] [time between the signal and the exit: "
			"2.00ms] [peak memory: 5.0M] <read the standard error of the process; to "
			"get a core file next time, run this in the shell before the program "
			"starts: ulimit -c unlimited>\n" },
		{ "ended-abnormally", by_kernel, BUS, NULL, "high/high: crashed: SIGBUS at" },
		{ "ended-abnormally", by_kernel, ILL, NULL, "high/high: crashed: SIGILL at" },
		{ "ended-abnormally", by_kernel, FPE, NULL, "high/high: crashed: SIGFPE at" },
		{ "ended-abnormally", by_kernel, TRAP, NULL, "high/high: crashed: SIGTRAP at" },
		{ "ended-abnormally", by_kernel, BAD_CALL, NULL, "high/high: crashed: SIGSYS at" },
		{ "ended-abnormally", by_none_seen, SEGV, NULL, "high/high: crashed: SIGSEGV [" },
		{ "ended-abnormally", by_itself, ABORT, NULL, "high/high: aborted (SIGABRT)" },
		{ "ended-abnormally", by_someone, SEGV, NULL,
			"high/high: ended by SIGSEGV from kill" },
		{ "ended-abnormally", core_of, 1, NULL,
			"high/high: |[status: SIGSEGV, with a core]|[core: /cores/core.99, "
			"3.0M]|<open the core file in a debugger" },
		{ "ended-abnormally", core_of, 0, NULL,
			"high/high: |[core: handed to /lib/keeper]|<read the standard" },
		{ "ended-abnormally", core_is_unknown, 0, NULL,
			"high/high: |(unseen: where the kernel wrote" },
		{ "ended-abnormally", fault_is_logged, SEGV, NULL,
			"high/high: |[address: 0x20] [crashed in: libc.so.6] [instruction: "
			"0x401136]" },
		{ "ended-abnormally", fault_is_logged, TERMINATE, NULL, "info/|!crashed in" },
		{ "ended-abnormally", fault_of_another, -99, NULL, "high/|[crashed in: " },
		{ "ended-abnormally", fault_of_another, -101, NULL, "high/|!crashed in" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- memory --- */

static void victim(uint8_t figures_state)
{
	struct exit_reasons_oom o = { .record = head_of(GONE_S, PID, EXIT_REASONS_OOM),
		.anonymous_bytes = 9 << 20,
		.file_bytes = 8 << 20,
		.asker_pid = SOMEONE,
		.asker_name = "asker",
		.figures_state = figures_state };

	RECORD_APPEND(&records, &o, NULL, 0);
}

static void is_chosen(double signal)
{
	was_there();
	victim(SOOTH_STATE_VALUE);
	end((uint32_t)signal, ordinary);
}

static void is_marked(double state)
{
	struct exit_reasons_end e = ordinary;

	was_there();
	e.is_oom_victim = 1;
	e.oom_state = (uint8_t)state;
	end(KILL, e);
}

static void is_logged(double is_of_group)
{
	struct exit_reasons_end e = ordinary;

	was_there();
	e.oom_state = HIDDEN;
	end(KILL, e);
	logged(GONE_S, EXIT_REASONS_LOG_OOM, is_of_group > 0, SOOTH_STATE_VALUE);
}

/* The kernel has told that it chose nobody: what the log has is not about it. */
static void is_logged_of_another(double value)
{
	(void)value;
	was_there();
	end(KILL, ordinary);
	logged(GONE_S, EXIT_REASONS_LOG_OOM, false, SOOTH_STATE_VALUE);
}

static void test_memory(void **state)
{
	static const struct check_case cases[] = {
		{ "ended-abnormally", is_chosen, KILL, NULL,
			"critical/high: killed by the kernel: out of memory |[anonymous memory: "
			"9.0M] [file memory: 8.0M] [shared memory: 0B] [page tables: 0B] "
			"[allocating process: asker (pid 60)]|(unseen: whether the host or" },
		{ "ended-abnormally", is_chosen, TERMINATE, NULL, "info/" },
		{ "ended-abnormally", is_marked, SOOTH_STATE_VALUE, NULL, "critical/high: " },
		{ "ended-abnormally", is_marked, HIDDEN, NULL, "medium/" },
		{ "ended-abnormally", is_logged, 0, NULL,
			"critical/high: killed by the kernel: the host ran out of "
			"memory|[anonymous memory: 6.0M]|[out of memory: on the host]" },
		{ "ended-abnormally", is_logged, 1, NULL,
			"critical/high: killed by the kernel: control group /box ran out of "
			"memory|[out of memory: in the control group of the process]" },
		{ "ended-abnormally", is_logged_of_another, 0, NULL, "medium/medium: killed" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- exits, and what is not known --- */

static void exits(double status)
{
	was_there();
	end((uint32_t)status << 8, ordinary);
}

static void exits_when_asked(double value)
{
	(void)value;
	was_there();
	signal_sent((struct exit_reasons_signal){ .signal = TERMINATE, .sender_pid = SOMEONE },
		"asker");
	end(0, ordinary);
}

static void end_is_hidden(double state)
{
	struct exit_reasons_end e = ordinary;

	was_there();
	e.status_state = (uint8_t)state;
	end(0, e);
}

static void is_gone(double value)
{
	(void)value;
	was_there();
}

static void runs_on(double value)
{
	(void)value;
	is_there();
}

static void was_gone_before(double what)
{
	if (what >= 0)
		logged(-10, (uint32_t)what, false, SOOTH_STATE_VALUE);
	process_at(5, (struct proc_process){ .record.pid = 200 }, "other");
}

static void test_others(void **state)
{
	static const struct check_case cases[] = {
		{ "ended-abnormally", exits, 0, NULL, "=fine: exited with status 0\n" },
		{ "ended-abnormally", exits_when_asked, 0, NULL,
			"=fine: exited with status 0 after SIGTERM from asker (pid 60)\n" },
		{ "ended-abnormally", exits, 1, NULL,
			"low/high: exited with status 1 |[status: exit status 1]|<read the "
			"standard" },
		{ "ended-abnormally", exits, 125, NULL, "low/high: exited with status 125 [" },
		{ "ended-abnormally", exits, 126, NULL,
			"low/high: |(shell: command cannot be run)" },
		{ "ended-abnormally", exits, 127, NULL, "low/high: |(shell: command not found)" },
		{ "ended-abnormally", exits, 128, NULL, "low/high: exited with status 128 [" },
		{ "ended-abnormally", exits, 129, NULL, "low/high: |was ended by SIGHUP" },
		{ "ended-abnormally", exits, 137, NULL, "low/high: |was ended by SIGKILL" },
		{ "ended-abnormally", exits, 192, NULL, "low/high: |was ended by " },
		{ "ended-abnormally", exits, 193, NULL, "low/high: exited with status 193 [" },
		{ "ended-abnormally", end_is_hidden, HIDDEN, NULL,
			"=blind: sooth did not see the exit of the process <run sooth as root: "
			"then exits are recorded>\n" },
		{ "ended-abnormally", is_gone, 0, NULL,
			"blind: sooth did not see the exit of the process" },
		{ "ended-abnormally", runs_on, 0, NULL, "=fine: still running\n" },
		{ "ended-abnormally", was_gone_before, EXIT_REASONS_LOG_OOM, NULL,
			"critical/medium: killed by the kernel: the host ran out of memory|[time "
			"since: 15.0s]|[source: kernel log: thing[99]]|(unseen: whether" },
		{ "ended-abnormally", was_gone_before, EXIT_REASONS_LOG_FAULT, NULL,
			"high/medium: crashed: segfault |[crashed in: libc.so.6] [instruction: "
			"0x401136]|!memory" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_kills),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
