/* SPDX-License-Identifier: BSD-2-Clause */
/* children-killed: processes below the diagnosed one, each ended by a signal. */
#include "check_records.h"

#include "analyze/evidence/scripts.h"
#include "probes/exit_reasons.h"
#include "probes/short_lived.h"

#define SENDER	     5000
#define OTHER_PARENT 300
#define FIRST	     1000
#define SUDO	     4000

enum { KILL = 9, PIPE = 13, TERMINATE = 15, SIZE_LIMIT = 25 };

static struct exit_reasons_child like; /* what is not ordinary of them */
static const char *own_words, *sender_words, *sender = "pkill";
static bool knows_sender; /* its end was seen: `like.sender_parent_pid` started it */
static bool ends_well, is_own_sender;
static bool is_by_sudo; /* its parent is a child of the one that ends */
static double until = LOOKS - 1;

static void runs_command(double s, uint32_t pid, const char *words)
{
	struct process_exec exec = { .record = head_of(s, pid, PROCESS_EXEC) };
	char text[64];
	struct record_tail tail = { &exec.arguments, text, strlen(words) };

	for (size_t i = 0; i < tail.size; i++)
		text[i] = words[i] == ' ' ? '\0' : words[i];
	RECORD_APPEND(&records, &exec, &tail, 1);
}

static void ends(double s, uint32_t pid, uint32_t parent, uint32_t status, const char *name)
{
	struct short_lived_exit e = { .record = head_of(s, pid, SHORT_LIVED_PROCESS),
		.parent_pid = parent,
		.parent_start_ticks = start_of(parent),
		.life_ns = NS_PER_MS,
		.status = status };

	memcpy(e.name, name, strlen(name));
	RECORD_APPEND(&records, &e, NULL, 0);
}

static void one_is_ended(int i, double s)
{
	struct exit_reasons_child c = like;
	uint32_t pid = FIRST + (uint32_t)i, by = SENDER + (uint32_t)i;

	c.record = head_of(s, PID, EXIT_REASONS_CHILD);
	c.child_pid = pid;
	c.child_start_ticks = start_of(pid);
	c.parent_pid = c.parent_pid ? c.parent_pid : PID;
	c.parent_start_ticks = start_of(c.parent_pid);
	c.signal = c.signal ? c.signal : TERMINATE;
	c.status = ends_well ? 0 : c.status ? c.status : c.signal;
	c.sender_pid = is_own_sender ? pid : c.sender_pid ? c.sender_pid : by;
	c.sender_parent_pid = c.sender_parent_pid ? c.sender_parent_pid : pid;
	c.sender_start_ticks = start_of(c.sender_pid);
	c.life_ns = 40 * NS_PER_MS;
	memcpy(c.name, "bash", 4);
	memcpy(c.sender_name, sender, strlen(sender));
	if (own_words)
		runs_command(s, pid, own_words);
	if (sender_words)
		runs_command(s, c.sender_pid, sender_words);
	if (is_by_sudo) {
		c.sender_parent_pid = SUDO + (uint32_t)i;
		ends(s, c.sender_parent_pid, pid, 0, "sudo");
	}
	if (knows_sender)
		ends(s, c.sender_pid, c.sender_parent_pid, 0, sender);
	RECORD_APPEND(&records, &c, NULL, 0);
	ends(s, pid, c.parent_pid, c.status, "bash");
}

static void are_ended(double count)
{
	struct short_lived_watch watch = { .record = head_of(0, 0, SHORT_LIVED_WATCH) };

	add_source("short_lived");
	RECORD_APPEND(&records, &watch, NULL, 0);
	for (int i = 0; i < (int)count; i++)
		one_is_ended(i, (i + 0.5) * until / count);
	is_there();
}

/* The others of that name end by themselves. */
static void some_are_ended(double others)
{
	are_ended(10);
	for (int i = 0; i < (int)others; i++)
		ends(1, 8000 + (uint32_t)i, PID, 0, "bash");
}

static void setup(struct exit_reasons_child c)
{
	like = c;
	own_words = sender_words = NULL;
	sender = "pkill";
	knows_sender = is_by_sudo = ends_well = is_own_sender = false;
	until = LOOKS - 1;
}

static void test_own_child(void **state)
{
	static const struct check_case unknown[] = {
		{ "children-killed", are_ended, 3, NULL,
			"medium/medium: each bash that it starts is ended by SIGTERM of its own "
			"child pkill, 3 times in 4.2 s|[ended: 3 over |[status: SIGTERM]|unseen" },
		{ "children-killed", are_ended, 5, NULL, "medium/high: " },
		{ "children-killed", are_ended, 65540, NULL,
			"|, 65536 times in 5 s |(unseen: 4 more ends of descendants: " },
		{ "children-killed", are_ended, 2, NULL, "fine: no child is ended by a signal" },
		{ "children-killed", are_ended, 3, "children-killed.min-count=4", "fine: " },
		{ "children-killed", some_are_ended, 3, NULL,
			"medium/high: 10 of 13 processes (bash) that it starts are ended, each by "
			"SIGTERM of its own child pkill" },
	};
	static const struct check_case known[] = {
		{ "children-killed", are_ended, 3, NULL,
			"medium/high: |pkill, 3 times in 4.2 s: pkill searches for a text that is "
			"in "
			"the command line of bash as well|[command: bash -c pkill -f server]|"
			"[command of the sender: pkill -f server]|'[n]ame'" },
	};

	(void)state;
	setup((struct exit_reasons_child){ 0 });
	TRY_CASES(unknown);
	own_words = "bash -c pkill -f server";
	sender_words = "pkill -f server";
	TRY_CASES(known);
}

/* Of a child that is ended for another reason nothing is claimed of what was searched for. */
static void test_no_match(void **state)
{
	static const struct check_case cases[] = {
		{ "children-killed", are_ended, 3, NULL,
			"medium/medium: |pkill, 3 times in 4.2 s [" },
	};

	(void)state;
	setup((struct exit_reasons_child){ 0 });
	own_words = "bash -c ./stop";
	sender_words = "pkill -f server";
	TRY_CASES(cases);
	own_words = "bash -c pkill -f [s]erver";
	sender_words = "pkill -f [s]erver";
	TRY_CASES(cases);
}

static void test_program_that_searches_for_nothing(void **state)
{
	static const struct check_case cases[] = {
		{ "children-killed", are_ended, 9, NULL, "low/high: |its own child watchdog" },
	};

	(void)state;
	setup((struct exit_reasons_child){ 0 });
	sender = "watchdog";
	TRY_CASES(cases);
}

/* They end at one moment: a stop, not a loop. */
static void test_at_once(void **state)
{
	static const struct check_case cases[] = { { "children-killed", are_ended, 9, NULL,
		"fine: " } };

	(void)state;
	setup((struct exit_reasons_child){ 0 });
	until = 2;
	TRY_CASES(cases);
}

static void test_below(void **state)
{
	static const struct check_case cases[] = {
		{ "children-killed", are_ended, 3, NULL,
			"medium/medium: each bash that is started below it "
			"is ended by SIGTERM of its own child pkill" },
	};

	(void)state;
	setup((struct exit_reasons_child){ .parent_pid = OTHER_PARENT });
	TRY_CASES(cases);
}

/* `sudo pkill`: its parent is below the child as well. */
static void test_child_of_a_child(void **state)
{
	static const struct check_case cases[] = {
		{ "children-killed", are_ended, 3, NULL,
			"medium/medium: |its own descendant pkill" },
	};

	(void)state;
	setup((struct exit_reasons_child){ 0 });
	knows_sender = is_by_sudo = true;
	TRY_CASES(cases);
}

static void test_memory(void **state)
{
	static const struct check_case cases[] = {
		{ "children-killed", are_ended, 3, NULL,
			"high/medium: |by SIGKILL of the kernel: out of memory, 3 times in 4.2 s|"
			"more memory" },
	};

	(void)state;
	setup((struct exit_reasons_child){ .signal = KILL,
		.is_oom_victim = 1,
		.is_from_kernel = 1,
		.sender_state = SOOTH_STATE_ABSENT });
	sender = "";
	TRY_CASES(cases);
}

static void test_limit(void **state)
{
	static const struct check_case limit[] = {
		{ "children-killed", are_ended, 3, NULL,
			"medium/medium: |by SIGXFSZ of the kernel: file size limit" },
	};
	static const struct check_case fine[] = { { "children-killed", are_ended, 30, NULL,
		"fine: " } };
	struct exit_reasons_child c = {
		.signal = SIZE_LIMIT, .is_from_kernel = 1, .sender_state = SOOTH_STATE_ABSENT
	};

	(void)state;
	setup(c);
	sender = "";
	TRY_CASES(limit);
	/* As the kernel does it: the writing process is the sender. */
	like.is_from_kernel = like.sender_state = 0;
	is_own_sender = true;
	TRY_CASES(limit);
	setup(c);
	like.signal = PIPE;
	TRY_CASES(fine);
	like.signal = KILL;
	TRY_CASES(fine);
}

/* It asked for the signal, or it ends well after a request. */
static void test_as_requested(void **state)
{
	static const struct check_case fine[] = { { "children-killed", are_ended, 30, NULL,
		"fine: " } };

	(void)state;
	setup((struct exit_reasons_child){
		.sender_pid = PID, .signal = KILL, .is_sender_ending = 1 });
	TRY_CASES(fine);
	setup((struct exit_reasons_child){ 0 });
	ends_well = true;
	TRY_CASES(fine);
}

static void test_stranger(void **state)
{
	static const struct check_case cases[] = {
		{ "children-killed", are_ended, 9, NULL,
			"low/high: each bash that it starts is ended by SIGTERM of guard (7000), "
			"which it did not start" },
		{ "children-killed", are_ended, 10, NULL, "medium/high: " },
		{ "children-killed", are_ended, 9, "children-killed.many=9", "medium/high: " },
		{ "children-killed", some_are_ended, 1, NULL, "medium/high: 10 of 11 " },
		{ "children-killed", some_are_ended, 2, NULL, "fine: " },
	};

	(void)state;
	setup((struct exit_reasons_child){ .sender_pid = 7000, .sender_parent_pid = 1 });
	sender = "guard";
	TRY_CASES(cases);
}

/* As on a system without a record of the senders. */
static void ends_are_known_alone(double count)
{
	struct short_lived_watch watch = { .record = head_of(0, 0, SHORT_LIVED_WATCH) };

	add_source("short_lived");
	RECORD_APPEND(&records, &watch, NULL, 0);
	for (int i = 0; i < (int)count; i++)
		ends(i, FIRST + (uint32_t)i, PID, like.status, "bash");
	is_there();
}

static void test_senders_not_recorded(void **state)
{
	static const struct check_case killed[] = {
		{ "children-killed", ends_are_known_alone, 3, NULL,
			"blind: |ended by signals, and the senders were not recorded" },
		{ "children-killed", ends_are_known_alone, 2, NULL, "fine: " },
	};
	static const struct check_case own[] = {
		{ "children-killed", ends_are_known_alone, 5, NULL, "fine: " },
	};

	(void)state;
	setup((struct exit_reasons_child){ .status = TERMINATE });
	TRY_CASES(killed);
	like.status = PIPE;
	TRY_CASES(own);
	like.status = 3 << 8;
	TRY_CASES(own);
	like.status = 11 | EXIT_REASONS_CORE_FLAG;
	TRY_CASES(own);
}

/* What it started itself ends them, or their parent, or they themselves: on purpose. */
static void test_on_purpose(void **state)
{
	static const struct check_case fine[] = { { "children-killed", are_ended, 30, NULL,
		"fine: " } };
	static const struct check_case again[] = {
		{ "children-killed", are_ended, 9, NULL, "fine: " },
		{ "children-killed", are_ended, 10, NULL,
			"low/high: |by SIGKILL of its parent thing" },
	};

	(void)state;
	setup((struct exit_reasons_child){ .sender_pid = PID });
	TRY_CASES(fine);
	sender = "thing";
	like.signal = KILL;
	TRY_CASES(again);
	setup((struct exit_reasons_child){ .sender_parent_pid = PID });
	knows_sender = true;
	TRY_CASES(fine);
	setup((struct exit_reasons_child){
		.sender_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN) });
	TRY_CASES(fine);
}

static void try_pattern(const char *arguments, size_t size, const char *want)
{
	struct span pattern = self_match_of_pkill(span_of(arguments, size));

	assert_int_equal(pattern.size, strlen(want));
	assert_memory_equal(pattern.data, want, pattern.size);
}

#define TRY(arguments, want) try_pattern(arguments, sizeof(arguments) - 1, want)

static void test_patterns(void **state)
{
	(void)state;
	TRY("pkill\0-f\0server", "server");
	TRY("/usr/bin/pkill\0-9\0-f\0server\0", "server");
	TRY("pkill\0-TERM\0--full\0server", "server");
	TRY("pkill\0-ef\0a b c", "a b c");
	TRY("pkill\0server", "");
	TRY("killall\0-q\0server", "");
	TRY("pkill\0-f\0s.*r", "");
	TRY("pkill\0-f\0[s]erver", "");
	TRY("pkill\0-P\0"
	    "123\0-f\0server",
		"");
	TRY("pkill\0-u\0me\0-f\0server", "");
	TRY("pkill\0--parent\0"
	    "12\0-f\0server",
		"");
	TRY("pkill\0-f", "");
	TRY("pkill", "");
	TRY("kill\0-9\0-f\0server", "");
	TRY("", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_child),
		cmocka_unit_test(test_no_match),
		cmocka_unit_test(test_program_that_searches_for_nothing),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_child_of_a_child),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_as_requested),
		cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_senders_not_recorded),
		cmocka_unit_test(test_on_purpose),
		cmocka_unit_test(test_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
