/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose turn it is by the end of an agent's log. */
#include "support.h"

#include "base/units.h"
#include "os/linux/agent_logs/agent_opencode.h"
#include "probes/proc.h"

#define AT(s)	  "\"timestamp\":\"1970-01-01T00:00:0" #s "Z\""
#define PROMPT(s) "{\"type\":\"user\",\"message\":{\"content\":\"hi\"}," AT(s) "}\n"
#define CALL(id, name, s)                                                                          \
	"{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"tool_use\",\"id\":\"" id    \
	"\",\"name\":\"" name "\"}]}," AT(s) "}\n"
#define RESULT(id, s)                                                                              \
	"{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"tool_result\","                  \
	"\"tool_use_id\":\"" id "\"}]}," AT(s) "}\n"
#define SAID(text, s)                                                                              \
	"{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"" text    \
	"\"}]}," AT(s) "}\n"
#define USER_SAID(text, s)                                                                         \
	"{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"" text         \
	"\"}]}," AT(s) "}\n"
#define ERROR(attempt, status, s)                                                                  \
	"{\"type\":\"system\",\"subtype\":\"api_error\",\"error\":{\"status\":" #status            \
	"},\"retryAttempt\":" #attempt "," AT(s) "}\n"
#define REQUEST(source, s) "{\"type\":\"api-request\",\"querySource\":\"" source "\"," AT(s) "}\n"
#define MAIN_REQUEST(s)	   REQUEST("repl_main_thread", s)
#define EVENT(kind, s)	   "{\"type\":\"event_msg\",\"payload\":{\"type\":\"" kind "\"}," AT(s) "}\n"
#define ITEM(kind, s)                                                                              \
	"{\"type\":\"response_item\",\"payload\":{\"type\":\"" kind "\",\"call_id\":\"call_1\","   \
	"\"name\":\"exec_command\"}," AT(s) "}\n"

#define MCP_CALL(server, tool, s)                                                                  \
	"{\"type\":\"response_item\",\"payload\":{\"type\":\"function_call\",\"call_id\":\"1\","   \
	"\"namespace\":\"" server "\",\"name\":\"" tool "\"}," AT(s) "}\n"
#define LONG "a23456789b123456789c123456789d123456789e123456789f12345678"

static struct agent_turn turn;

static int read_turn(enum agent_log kind, const char *log, bool is_cut)
{
	agent_turn_read(&turn, kind, log, strlen(log), is_cut);
	return turn.of;
}

/* The turn began at this second. */
#define assert_turn(kind_, log_, of_, s_)                                                          \
	do {                                                                                       \
		assert_int_equal(read_turn(AGENT_LOG_##kind_, log_, false), PROC_TURN_##of_);      \
		assert_int_equal(turn.utc_ns, (s_)*1000000000ull);                                 \
	} while (0)

#define ASKS(input)                                                                                \
	"{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"tool_use\",\"id\":\"t1\","  \
	"\"name\":\"Bash\",\"input\":" input "}]}}\n"
#define CODEX_ASKS(arguments)                                                                      \
	"{\"type\":\"response_item\",\"payload\":{\"type\":\"function_call\",\"call_id\":\"1\","   \
	"\"name\":\"exec_command\",\"arguments\":\"" arguments "\"}}\n"

/* What the user may be asked to allow, without secrets. */
static void test_asked(void **state)
{
	(void)state;
	read_turn(AGENT_LOG_CLAUDE, ASKS("{\"command\":\"rm -rf \\n build\"}"), false);
	assert_string_equal(turn.asked, "rm -rf build");
	read_turn(AGENT_LOG_CLAUDE, ASKS("{\"command\":\"a --password=hunter2hunter2\"}"), false);
	assert_null(strstr(turn.asked, "hunter2"));
	read_turn(AGENT_LOG_CLAUDE, ASKS("{\"file_path\":\"/a/b.c\",\"content\":\"x\"}"), false);
	assert_string_equal(turn.asked, "/a/b.c");
	read_turn(AGENT_LOG_CLAUDE, ASKS("{\"command\":7}") RESULT("t1", 3), false);
	assert_string_equal(turn.asked, "");
	read_turn(AGENT_LOG_CODEX, CODEX_ASKS("{\\\"cmd\\\":\\\"make test\\\"}"), false);
	assert_string_equal(turn.asked, "make test");
	read_turn(AGENT_LOG_CODEX,
		CODEX_ASKS("{\\\"command\\\":[\\\"bash\\\",\\\"-lc\\\",\\\"ls\\\"]}"), false);
	assert_string_equal(turn.asked, "ls");
	read_turn(AGENT_LOG_CODEX, CODEX_ASKS("no object"), false);
	assert_string_equal(turn.asked, "");
}

static void test_claude(void **state)
{
	(void)state;
	assert_turn(CLAUDE, PROMPT(1), MODEL, 1);
	assert_turn(CLAUDE, PROMPT(1) CALL("t1", "Bash", 2), TOOL, 2);
	assert_string_equal(turn.call, "Bash");
	assert_turn(CLAUDE, PROMPT(1) CALL("t1", "Bash", 2) RESULT("t1", 3), MODEL, 3);
	assert_string_equal(turn.call, "");
	assert_turn(CLAUDE, PROMPT(1) SAID("done", 4), USER, 4);
	/* A text before a call. */
	assert_turn(CLAUDE, PROMPT(1) SAID("I look", 2) CALL("t1", "Read", 3), TOOL, 3);
	/* Two at once: the oldest open one. */
	assert_turn(CLAUDE, CALL("t1", "Bash", 2) CALL("t2", "Read", 3) RESULT("t1", 4), TOOL, 3);
	assert_string_equal(turn.call, "Read");
	assert_turn(CLAUDE, PROMPT(1) USER_SAID("[Request interrupted by user]", 2), USER, 2);
	/* Commands of the agent itself ask no model. */
	assert_turn(CLAUDE, SAID("done", 1) USER_SAID("<command-name>/cost</command-name>", 2),
		USER, 1);
}

static void test_attempts(void **state)
{
	(void)state;
	/* The first attempt's time. */
	assert_turn(CLAUDE, PROMPT(1) ERROR(1, 529, 2) ERROR(2, 529, 4), MODEL, 1);
	assert_int_equal(turn.attempts, 3);
	assert_int_equal(turn.error_status, 529);
	assert_turn(CLAUDE, PROMPT(1) ERROR(1, 529, 2) CALL("t1", "Bash", 3), TOOL, 3);
	assert_int_equal(turn.attempts, 0);
	assert_turn(CLAUDE, PROMPT(1) ERROR(1, 529, 2) PROMPT(5), MODEL, 5);
	assert_int_equal(turn.attempts, 0);
	/* One line for each request, and none for its failure. */
	assert_turn(CLAUDE, PROMPT(1) MAIN_REQUEST(2), MODEL, 1);
	assert_int_equal(turn.attempts, 0);
	assert_turn(
		CLAUDE, PROMPT(1) MAIN_REQUEST(2) REQUEST("title", 2) MAIN_REQUEST(3), MODEL, 1);
	assert_int_equal(turn.attempts, 2);
	assert_turn(CLAUDE,
		PROMPT(1) MAIN_REQUEST(2) CALL("t1", "Bash", 3) RESULT("t1", 4) MAIN_REQUEST(5),
		MODEL, 4);
	assert_int_equal(turn.attempts, 0);
	assert_turn(CLAUDE, SAID("done", 1) MAIN_REQUEST(2) MAIN_REQUEST(3), USER, 1);
	assert_int_equal(turn.attempts, 0);
	/* Of claude -p. */
	assert_turn(CLAUDE, PROMPT(1) REQUEST("sdk", 2) REQUEST("sdk", 3), MODEL, 1);
	assert_int_equal(turn.attempts, 2);
	assert_turn(CLAUDE, MAIN_REQUEST(2) MAIN_REQUEST(3), MODEL, 2);
	assert_int_equal(turn.attempts, 2);
	assert_turn(CLAUDE, PROMPT(1) ERROR(99999999, 77777, 2), MODEL, 1);
	assert_int_equal(turn.attempts, 0);
}

static void test_codex(void **state)
{
	(void)state;
	assert_turn(CODEX, EVENT("task_started", 1), MODEL, 1);
	assert_turn(CODEX, EVENT("task_started", 1) ITEM("function_call", 2), TOOL, 2);
	assert_string_equal(turn.call, "exec_command");
	assert_turn(CODEX, MCP_CALL("mcp__files", "read", 2), TOOL, 2);
	assert_string_equal(turn.call, "mcp__files__read");
	assert_turn(CODEX, MCP_CALL("other", "read", 2), TOOL, 2);
	assert_string_equal(turn.call, "read");
	assert_turn(CODEX, MCP_CALL("mcp__" LONG, "read", 2), TOOL, 2);
	assert_int_equal(strlen(turn.call), AGENT_TOOL_MAX);
	assert_turn(CODEX, ITEM("function_call", 2) ITEM("function_call_output", 3), MODEL, 3);
	assert_turn(CODEX, EVENT("task_started", 1) EVENT("task_complete", 5), USER, 5);
	assert_turn(CODEX, EVENT("task_started", 1) EVENT("turn_aborted", 5), USER, 5);
}

/* --- the same call again and again --- */

#define ROUND(id, name, arguments, result, s)                                                      \
	"{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"tool_use\",\"id\":\"" id    \
	"\",\"name\":\"" name "\",\"input\":" arguments                                            \
	"}]}," AT(s) "}\n"                                                                         \
		     "{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"tool_result\","     \
		     "\"tool_use_id\":\"" id "\",\"content\":" result "}]}," AT(s) "}\n"
#define LS(result, s) ROUND("t" #s, "Bash", "{\"command\":\"ls\"}", result, s)
#define CODEX_ROUND(arguments, result, s)                                                          \
	"{\"type\":\"response_item\",\"payload\":{\"type\":\"function_call\",\"call_id\":\"" #s    \
	"\",\"name\":\"shell\",\"arguments\":\"" arguments                                         \
	"\"}," AT(s) "}\n"                                                                         \
		     "{\"type\":\"response_item\",\"payload\":{\"type\":\"function_call_output\"," \
		     "\"call_id\":\"" #s "\",\"output\":\"" result "\"}," AT(s) "}\n"

/* So many rounds of so many calls, since this second. */
#define assert_repeats(kind_, log_, times_, calls_, since_)                                        \
	do {                                                                                       \
		read_turn(AGENT_LOG_##kind_, log_, false);                                         \
		assert_int_equal(turn.repeats, times_);                                            \
		assert_int_equal(turn.repeated_calls, calls_);                                     \
		assert_int_equal(turn.repeats_since_utc_ns, (since_)*1000000000ull);               \
	} while (0)

static void test_repeats(void **state)
{
	(void)state;
	assert_repeats(CLAUDE, PROMPT(1), 0, 0, 0);
	assert_repeats(CLAUDE, LS("\"a\"", 1), 1, 0, 0);
	assert_repeats(CLAUDE, LS("\"a\"", 1) LS("\"a\"", 2) LS("\"a\"", 3), 3, 1, 1);
	assert_int_equal(turn.repeats_until_utc_ns, 3000000000ull);
	assert_string_equal(turn.repeated, "Bash");
	/* Another result, other arguments, another tool. */
	assert_repeats(CLAUDE, LS("\"a\"", 1) LS("\"b\"", 2) LS("\"b\"", 3), 2, 1, 2);
	assert_repeats(CLAUDE,
		ROUND("t1", "Bash", "{\"command\":\"ls -l\"}", "\"a\"", 1) LS("\"a\"", 2), 1, 0, 0);
	assert_repeats(CLAUDE,
		ROUND("t1", "Read", "{\"command\":\"ls\"}", "\"a\"", 1) LS("\"a\"", 2), 1, 0, 0);
	/* Members in another order, a result in parts. */
	assert_repeats(CLAUDE,
		ROUND("t1", "R", "{\"a\":1,\"b\":2}", "[{\"type\":\"text\",\"text\":\"x\"}]", 1)
			ROUND("t2", "R", "{\"b\":2,\"a\":1}",
				"[{\"type\":\"text\",\"text\":\"x\"}]", 2),
		2, 1, 1);
	/* Two in turn. */
	assert_repeats(CLAUDE,
		LS("\"a\"", 1) LS("\"b\"", 2) LS("\"a\"", 3) LS("\"b\"", 4) LS("\"a\"", 5)
			LS("\"b\"", 6),
		3, 2, 1);
	/* The user has said something. */
	assert_repeats(CLAUDE, LS("\"a\"", 1) LS("\"a\"", 2) PROMPT(3), 0, 1, 1);
	assert_repeats(CLAUDE, LS("\"a\"", 1) LS("\"a\"", 2) PROMPT(3) LS("\"a\"", 4), 1, 1, 1);
	/* How long it took is no part of the result. */
	assert_repeats(CODEX,
		CODEX_ROUND("ls", "Wall time: 0.1 s\\nx", 1)
			CODEX_ROUND("ls", "Wall time: 0.3 s\\nx", 2),
		2, 1, 1);
	assert_repeats(CODEX, CODEX_ROUND("ls", "x", 1) CODEX_ROUND("ls", "y", 2), 1, 0, 0);
	assert_repeats(CODEX,
		CODEX_ROUND("ls", "Chunk ID: 0b66c6\\nx", 1)
			CODEX_ROUND("ls", "Chunk ID: a96525\\nx", 2),
		2, 1, 1);
	/* Three in turn. */
	assert_repeats(CLAUDE,
		LS("\"a\"", 1) LS("\"b\"", 2) LS("\"c\"", 3) LS("\"a\"", 4) LS("\"b\"", 5)
			LS("\"c\"", 6),
		2, 3, 1);
}

/* A call has its result with it, and the result is a line of the user, too. */
#define GEMINI_ROUND(output, s)                                                                    \
	"{\"type\":\"gemini\",\"content\":\"\"," AT(                                               \
		s) "}\n"                                                                           \
		   "{\"type\":\"gemini\",\"content\":\"\"," AT(                                    \
			   s) ",\"toolCalls\":[{\"name\":\"sh\","                                  \
			      "\"args\":{\"command\":\"ls\"},\"result\":[{\"functionResponse\":{"  \
			      "\"response\":{"                                                     \
			      "\"output\":\"" output "\"}}}]}]}\n"                                 \
			      "{\"type\":\"user\",\"content\":[{\"functionResponse\":{}}]," AT(    \
				      s) "}\n"

static void test_repeats_of_gemini(void **state)
{
	(void)state;
	assert_repeats(GEMINI,
		GEMINI_ROUND("x\\nProcess Group PGID: 1", 1)
			GEMINI_ROUND("x\\nProcess Group PGID: 2", 2),
		2, 1, 1);
	assert_string_equal(turn.repeated, "sh");
	assert_int_equal(turn.of, PROC_TURN_MODEL);
	assert_repeats(GEMINI, GEMINI_ROUND("x", 1) GEMINI_ROUND("y", 2), 1, 0, 0);
}

#define QUEUE(operation, s)                                                                        \
	"{\"type\":\"queue-operation\",\"operation\":\"" operation "\"," AT(s) "}\n"

static void test_queue(void **state)
{
	(void)state;
	read_turn(AGENT_LOG_CLAUDE, PROMPT(1) QUEUE("enqueue", 2) QUEUE("enqueue", 3), false);
	assert_int_equal(turn.queued_utc_ns, 2000000000ull);
	read_turn(AGENT_LOG_CLAUDE,
		PROMPT(1) QUEUE("enqueue", 2) QUEUE("enqueue", 3) QUEUE("dequeue", 4), false);
	assert_int_equal(turn.queued_utc_ns, 4000000000ull);
	read_turn(AGENT_LOG_CLAUDE,
		PROMPT(1) QUEUE("enqueue", 2) QUEUE("enqueue", 3) QUEUE("popAll", 4), false);
	assert_int_equal(turn.queued_utc_ns, 0);
}

static void test_gemini(void **state)
{
	(void)state;
	assert_turn(GEMINI, "{\"type\":\"user\"," AT(1) "}\n", MODEL, 1);
	assert_turn(GEMINI, "{\"type\":\"gemini\",\"content\":\"\"," AT(2) "}\n", TOOL, 2);
	assert_turn(GEMINI, "{\"type\":\"gemini\",\"content\":\"\",\"toolCalls\":[{}]," AT(3) "}\n",
		MODEL, 3);
	assert_turn(GEMINI, "{\"type\":\"gemini\",\"content\":\"yes\"," AT(4) "}\n", USER, 4);
}

#define OC(run, s, message)                                                                        \
	"timestamp=1970-01-01T00:00:" #s ".000Z level=INFO run=" run " message=" message "\n"
#define ABOUT	     " session.id=s small=false agent=build mode=primary"
#define OC_STREAM(s) OC("b2", s, "stream" ABOUT)
#define OC_ERROR(s)  OC("b2", s, "\"stream error\"" ABOUT " error.error=\"a \\\" run=c3 b\"")
#define OC_ASKS(s)   OC("b2", s, "asking id=per_1 permission=bash patterns=\"[\\\"a b\\\"]\"")
#define OC_BEGIN     OC("a1", 01, "init") OC("b2", 11, "\"creating instance\"")
#define assert_opencode(log_, is_cut_, of_, s_)                                                    \
	do {                                                                                       \
		agent_opencode_read(&turn, log_, strlen(log_), is_cut_, 10 * NS_PER_S);            \
		assert_int_equal(turn.of, PROC_TURN_##of_);                                        \
		assert_int_equal(turn.utc_ns, (s_)*NS_PER_S);                                      \
	} while (0)

/* One log of all processes; this one started at second 10. */
static void test_opencode(void **state)
{
	(void)state;
	assert_opencode(OC_BEGIN, false, UNKNOWN, 0);
	assert_opencode(OC_BEGIN OC_STREAM(12), false, MODEL, 12);
	assert_int_equal(turn.attempts, 0);
	assert_opencode(OC_BEGIN OC("b2", 12, "stream small=true mode=primary"), false, UNKNOWN, 0);
	assert_opencode(
		OC_BEGIN OC_STREAM(12) OC_ERROR(13) OC_STREAM(14) OC_ERROR(15), false, MODEL, 12);
	assert_int_equal(turn.attempts, 3);
	assert_opencode(OC_BEGIN OC_STREAM(12) OC_ASKS(13), false, PERMISSION, 13);
	assert_string_equal(turn.call, "bash");
	assert_opencode(OC_BEGIN OC_ASKS(13) OC_STREAM(14), false, MODEL, 14);
	assert_string_equal(turn.call, "");
	assert_opencode(OC_BEGIN OC_STREAM(12) OC("b2", 14, "\"exiting loop\""), false, USER, 14);
	/* Another process goes on. */
	assert_opencode(OC_BEGIN OC_STREAM(12) OC("a1", 14, "\"exiting loop\""), false, MODEL, 12);
	/* Two began at that time; or its first line is not in the part that was read. */
	assert_opencode(OC_BEGIN OC("c3", 12, "init") OC_STREAM(12), false, UNKNOWN, 0);
	/* Late, on a busy host: if it is the only one. */
	assert_opencode(OC("a1", 01, "init") OC_STREAM(45), false, MODEL, 45);
	assert_opencode(OC("a1", 01, "init") OC_STREAM(45) OC("c3", 46, "init"), false, UNKNOWN, 0);
	assert_opencode(OC_BEGIN OC_STREAM(12) OC("c3", 46, "init"), false, MODEL, 12);
	assert_opencode("x\n" OC_BEGIN OC_STREAM(12), true, MODEL, 12);
	assert_opencode("x\n" OC_STREAM(12), true, UNKNOWN, 0);
}

static void test_ends(void **state)
{
	(void)state;
	assert_int_equal(read_turn(AGENT_LOG_CLAUDE, "", false), PROC_TURN_UNKNOWN);
	assert_int_equal(read_turn(AGENT_LOG_NONE, PROMPT(1), false), PROC_TURN_UNKNOWN);
	/* The first line is cut off, the last is still being written. */
	assert_int_equal(read_turn(AGENT_LOG_CLAUDE, PROMPT(1), true), PROC_TURN_UNKNOWN);
	assert_int_equal(read_turn(AGENT_LOG_CLAUDE, PROMPT(1) "{\"type\":\"user\"", false),
		PROC_TURN_MODEL);
	assert_int_equal(turn.utc_ns, 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_claude),
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_codex),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_repeats_of_gemini),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_gemini),
		cmocka_unit_test(test_opencode),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
