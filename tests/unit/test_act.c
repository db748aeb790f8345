/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is selected, who must not be touched, and in which order; on hosts made by hand. */
#include "process_table_records.h"

#include <errno.h>
#include <unistd.h>

#include "cli/act/act.h"
#include "cli/selected/process_table_scan.h"
#include "cli/output/own_report.h"

/* Nobody looks at this host here, and nothing is told. */
int process_table_scan(struct process_table *c, struct sooth_error *err)
{
	(void)c;
	return error_no_memory(err);
}

int process_table_scan_all(struct process_table *c, struct sooth_error *err)
{
	return process_table_scan(c, err);
}

int own_report_emit(const char *name, const struct output_options *options,
	int (*tell)(struct output *o, void *user, struct sooth_error *err), void *user,
	struct sooth_error *err)
{
	(void)name;
	(void)options;
	(void)tell;
	(void)user;
	return error_no_memory(err);
}

static struct act act;

static int begin_act(void **state)
{
	begin(state);
	act_init(&act, &os_native);
	return 0;
}

static int end_act(void **state)
{
	act.process_table = (struct process_table){ 0 }; /* it is the test's */
	act_fini(&act);
	return end(state);
}

/* The pid that the kernel gave this test may be one of the numbers below. */
#define OWN 4999999

pid_t getpid(void)
{
	return OWN;
}

/* An agent with a shell, a server, a daemon that left, and others. */
#define MARKS T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=4f1c0000-0000")
#define A_HOST(...)                                                                                \
	do {                                                                                       \
		HOST({ 2, 0, .start = 1, .name = "kthreadd" }, { 3, 2, .name = "kworker" },        \
			{ 200, 1, .name = "claude", .executable = CLAUDE, .id = "4f1c0000-0000" }, \
			{ 210, 200, .name = "bash", .session = 210, .stream = AT_PIPES,            \
				.markers = MARKS },                                                \
			{ 211, 210, .name = "make", .session = 210, .stream = AT_PIPES },          \
			{ 220, 1, .name = "server", .markers = MARKS, .stream = AT_NULL },         \
			{ 230, 1, .name = "lost", .session = 210, .markers = MARKS,                \
				.stream = AT_PIPES },                                              \
			{ 300, 1, .name = "codex", .executable = CODEX },                          \
			{ 400, 1, .name = "cron" }, __VA_ARGS__);                                  \
		act.process_table = process_table;                                                 \
	} while (0)

static const struct act_process *selected(uint32_t pid)
{
	for (size_t i = 0; i < act_count(&act); i++) {
		if (act_at(&act, i)->id.pid == pid)
			return act_at(&act, i);
	}
	return NULL;
}

static void assert_refused(uint32_t pid, const char *words)
{
	struct sooth_error err;

	assert_int_equal(act_select_pid(&act, pid, &err), 0);
	assert_non_null(selected(pid));
	assert_int_equal(selected(pid)->outcome, ACT_REFUSED);
	if (!has(selected(pid)->why, words))
		fail_msg("%u: \"%s\"", pid, selected(pid)->why);
}

static void protected_processes(void **state)
{
	struct sooth_error err;

	(void)state;
	act.may_be_any = true;
	HOST({ 2, 0, .start = 1, .name = "kthreadd" }, { 3, 2, .name = "kworker" },
		{ 4, 2, .name = "gone", .state = 'Z' });
	act.process_table = process_table;
	assert_refused(1, "process 1");
	assert_refused(2, "kernel");
	assert_refused(3, "kernel");
	assert_int_equal(act_select_pid(&act, 4, &err), 0);
	assert_int_equal(selected(4)->outcome, ACT_SELECTED);
	assert_int_equal(act_select_pid(&act, 5, &err), -ESRCH);
	assert_int_equal(act_exit(&act), 2);
}

static void neither_itself_nor_above(void **state)
{
	struct made all[] = { { 1, 0, .start = 1, .name = "init" }, { 40, 1, .name = "terminal" },
		{ 41, 40, .name = "sh" }, { OWN, 41, .start = 99999999 },
		{ 42, 40, .name = "beside" } };

	(void)state;
	make(all, ARRAY_SIZE(all));
	make_snapshot(1, true, false);
	take_all();
	act.process_table = process_table;
	act.may_be_any = true;
	assert_refused(OWN, "sooth itself");
	assert_refused(41, "started from this process");
	assert_refused(40, "started from this process");
	act.reach = ACT_TREE;
	while (act_select_others(&act))
		;
	/* A process below a refused one is not selected for that. */
	assert_null(selected(42));
}

static void only_agents(void **state)
{
	(void)state;
	A_HOST({ 401, 1, .name = "atd" });
	assert_refused(400, "the process is not part of an agent; add --any");
	act.only_agent = "claude";
	assert_refused(300, "another agent");
	assert_refused(210, "not an agent"); /* what an agent runs is none */
	act.may_be_any = true;
	assert_refused(401, "the process is not part of an agent");
}

static void a_tree(void **state)
{
	struct sooth_error err;

	(void)state;
	A_HOST({ 212, 211, .name = "cc", .session = 210 });
	act.reach = ACT_TREE;
	assert_int_equal(act_select_pid(&act, 210, &err), 0);
	assert_int_equal(act_select_others(&act), 2);
	assert_int_equal(act_select_others(&act), 0);
	act_sort(&act);
	assert_int_equal(act_at(&act, 0)->id.pid, 210);
	assert_int_equal(act_at(&act, 1)->id.pid, 211);
	assert_int_equal(act_at(&act, 2)->id.pid, 212);
}

/* All of a session, wherever it is now; not what was made to outlive it. */
static void a_session(void **state)
{
	struct sooth_error err;

	(void)state;
	A_HOST();
	act.reach = ACT_SESSION;
	assert_int_equal(act_select_session(&act, "4f1c", &err), 0);
	while (act_select_others(&act))
		;
	assert_non_null(selected(200));
	assert_non_null(selected(210));
	assert_non_null(selected(211));
	assert_non_null(selected(230));
	assert_null(selected(220));
	assert_null(selected(300));
	assert_null(selected(400));
	assert_int_equal(act_select_session(&act, "4f", &err), -ESRCH);
	assert_int_equal(act_select_session(&act, "200", &err), 0);
}

/* Below what is left of a gone session: a daemon, and a window in which somebody works. */
#define GONE T("CLAUDECODE=1\0CLAUDE_CODE_SESSION_ID=dead0000-0000")
#define A_LEFT_HOST()                                                                              \
	A_HOST({ 500, 1, .start = 10000, .name = "bash", .stream = AT_PIPES, .markers = GONE },    \
		{ 510, 500, .start = 10001, .name = "daemon", .stream = AT_NULL,                   \
			.markers = GONE },                                                         \
		{ 511, 510, .start = 10002, .name = "worker", .session = 510, .stream = AT_NULL,   \
			.markers = GONE },                                                         \
		{ 520, 500, .start = 10003, .name = "make", .session = 500, .stream = AT_PIPES,    \
			.markers = GONE },                                                         \
		{ 600, 1, .start = 10004, .name = "xterm", .stream = AT_PIPES, .markers = GONE },  \
		{ 610, 600, .start = 10005, .name = "sh", .terminal = 7, .stream = AT_TERMINAL,    \
			.markers = GONE },                                                         \
		{ 620, 610, .start = 10006, .name = "claude", .executable = CLAUDE,                \
			.session = 610, .terminal = 7, .stream = AT_TERMINAL,                      \
			.is_foreground = true, .markers = GONE },                                  \
		{ 621, 620, .start = 10007, .name = "bash", .stream = AT_PIPES })

static void mean_all(void)
{
	while (act_select_others(&act))
		;
}

static void what_goes_on_by_itself(void **state)
{
	(void)state;
	A_LEFT_HOST();
	act.reach = ACT_TREE;
	act_select_verdict(&act, VERDICT_ORPHANED);
	mean_all();
	assert_int_equal(selected(500)->outcome, ACT_SELECTED);
	assert_int_equal(selected(520)->outcome, ACT_SELECTED);
	assert_int_equal(selected(600)->outcome, ACT_REFUSED);
	assert_true(has(selected(600)->why, "descendant 610 uses a terminal"));
	for (uint32_t pid = 510; pid < 512; pid++)
		assert_null(selected(pid));
	for (uint32_t pid = 610; pid < 622; pid++)
		assert_null(selected(pid));
}

/* Who names a process and all below it means all below it. */
static void all_below_a_named_one(void **state)
{
	static const uint32_t all[] = { 500, 510, 511, 520, 600, 610, 620, 621 };
	struct sooth_error err;

	(void)state;
	A_LEFT_HOST();
	act.reach = ACT_TREE;
	act.is_whole = true;
	assert_int_equal(act_select_pid(&act, 500, &err), 0);
	assert_int_equal(act_select_pid(&act, 600, &err), 0);
	mean_all();
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_int_equal(selected(all[i])->outcome, ACT_SELECTED);
}

/* A process below a live session belongs to it; below a gone one, not if it was made to stay. */
static void of_a_session_that_is_there(void **state)
{
	struct sooth_error err;

	(void)state;
	A_HOST({ 212, 210, .name = "daemon", .stream = AT_NULL, .markers = MARKS });
	act.reach = ACT_SESSION;
	assert_int_equal(act_select_session(&act, "4f1c", &err), 0);
	mean_all();
	assert_non_null(selected(212));
}

static void of_a_session_that_is_gone(void **state)
{
	struct sooth_error err;

	(void)state;
	A_LEFT_HOST();
	act.reach = ACT_SESSION;
	assert_int_equal(act_select_session(&act, "dead", &err), 0);
	mean_all();
	assert_int_equal(selected(500)->outcome, ACT_SELECTED);
	assert_int_equal(selected(600)->outcome, ACT_REFUSED);
	assert_null(selected(510));
	assert_null(selected(620));
}

static void by_identity(void **state)
{
	struct sooth_error err;

	(void)state;
	A_HOST();
	assert_int_equal(act_select_identity(&act, "200@20000", &err), 0);
	assert_int_equal(act_select_identity(&act, "200@19999", &err), -ESRCH);
	assert_int_equal(act_select_identity(&act, "200@", &err), -EINVAL);
	assert_int_equal(act_count(&act), 1);
}

/* Between question and answer the world goes on. */
static void looked_at_again(void **state)
{
	static const struct made later[] = { { 1, 0, .start = 1, .name = "systemd" },
		{ 200, 1, .start = 777, .name = "claude", .executable = CLAUDE },
		{ 210, 1, .name = "bash", .session = 210 } };
	struct sooth_error err;

	(void)state;
	A_HOST();
	assert_int_equal(act_select_pid(&act, 200, &err), 0);
	assert_int_equal(act_select_pid(&act, 210, &err), 0);
	assert_int_equal(act_select_pid(&act, 300, &err), 0);
	process_table_fini(&process_table);
	process_table_init(&process_table);
	make(later, ARRAY_SIZE(later));
	make_snapshot(1, true, false);
	take_all();
	act.process_table = process_table;
	act_recheck(&act, VERDICT_ORPHANED, false);
	assert_int_equal(selected(200)->outcome, ACT_GONE);    /* the number is another's */
	assert_int_equal(selected(210)->outcome, ACT_REFUSED); /* it is no agent's any more */
	assert_int_equal(selected(300)->outcome, ACT_GONE);
}

static void what_it_came_to(void **state)
{
	struct sooth_error err;

	(void)state;
	A_HOST();
	assert_int_equal(act_select_pid(&act, 200, &err), 0);
	assert_int_equal(act_select_pid(&act, 300, &err), 0);
	assert_int_equal(act_exit(&act), 1); /* nothing came of it */
	act_at(&act, 0)->outcome = act_at(&act, 1)->outcome = ACT_STOPPED;
	assert_int_equal(act_exit(&act), 0);
	act_at(&act, 0)->outcome = ACT_STILL;
	assert_int_equal(act_exit(&act), 1);
	act_at(&act, 1)->outcome = ACT_REFUSED;
	assert_int_equal(act_exit(&act), 2);
	act_at(&act, 0)->outcome = ACT_FAILED;
	assert_int_equal(act_exit(&act), 3);
}

static void some_may_not_be_read(void **state)
{
	(void)state;
	A_HOST({ 500, 1, .name = "lost", .without_inputs = true,
		.executable_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) });
	act_select_verdict(&act, VERDICT_ORPHANED);
	assert_int_equal(act.undecided_access, 1);
	assert_null(selected(500));
	act_select_verdict(&act, VERDICT_ABANDONED);
	assert_int_equal(act.undecided_access, 1);
	assert_int_equal(act.doubted, 0);
}

/* Younger than another main process that may have been its own. */
static void of_some_it_does_not_follow(void **state)
{
	(void)state;
	A_HOST({ 500, 1, .name = "lost", .stream = AT_PIPES, .markers = T("CLAUDECODE=1") });
	act_select_verdict(&act, VERDICT_ORPHANED);
	assert_int_equal(act.doubted, 1);
	assert_int_equal(act.undecided_access, 0);
	assert_null(selected(500));
}

static void all_may_be_read(void **state)
{
	(void)state;
	A_HOST({ 500, 1, .name = "lost" });
	act_select_verdict(&act, VERDICT_ORPHANED);
	assert_int_equal(act.undecided_access, 0);
}

#define ACT_TEST(name) cmocka_unit_test_setup_teardown(name, begin_act, end_act)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ACT_TEST(protected_processes),
		ACT_TEST(neither_itself_nor_above),
		ACT_TEST(only_agents),
		ACT_TEST(a_tree),
		ACT_TEST(a_session),
		ACT_TEST(what_goes_on_by_itself),
		ACT_TEST(all_below_a_named_one),
		ACT_TEST(of_a_session_that_is_there),
		ACT_TEST(of_a_session_that_is_gone),
		ACT_TEST(by_identity),
		ACT_TEST(looked_at_again),
		ACT_TEST(what_it_came_to),
		ACT_TEST(some_may_not_be_read),
		ACT_TEST(of_some_it_does_not_follow),
		ACT_TEST(all_may_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
