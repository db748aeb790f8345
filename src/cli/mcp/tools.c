/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/mcp/tools.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/json_scan.h"
#include "base/units.h"

#define COLUMNS	       200
#define BAR_COLUMNS    80 /* a bar has three bytes a column */
#define REASON_COLUMNS 320
#define SECONDS_MAX    30
#define MINUTES_MAX    1440
#define PID_MAX	       INT32_MAX
#define SESSION_LEAST  4
#define SESSION_MAX    64
/* Beside the seconds that were asked for. Clients end a call after 60 s. */
#define LIMIT_NS (25 * NS_PER_S)

enum argument {
	ARGUMENT_PID,
	ARGUMENT_SESSION,
	ARGUMENT_SECONDS,
	ARGUMENT_MINUTES,
	ARGUMENTS,
};

static const struct {
	const char *name, *description;
	uint64_t max; /* 0: a session */
} known_arguments[ARGUMENTS] = {
	[ARGUMENT_PID] = { "pid", "process id", PID_MAX },
	[ARGUMENT_SESSION] = { "session",
		"session id of an agent, or its first 4 or more characters", 0 },
	[ARGUMENT_SECONDS] = { "seconds", "how long to observe", SECONDS_MAX },
	[ARGUMENT_MINUTES] = { "minutes", "how far to look back (60)", MINUTES_MAX },
};

/* Values of the arguments of a call; 0, "": not given. */
struct given {
	uint64_t numbers[ARGUMENTS];
	char session[SESSION_MAX + 1];
};

#define BIT(argument) (1u << ARGUMENT_##argument)
#define TARGET	      (BIT(PID) | BIT(SESSION))

struct tool {
	const char *name, *title, *description;
	unsigned arguments; /* a bit for each */
	bool needs_target;
	const char *command;
	const char *whole[2];	  /* fixed options, without a target */
	const char *of_target[2]; /* likewise, with a target */
	int columns;		  /* 0: COLUMNS */
	const char *seconds;	  /* the option of the time to observe */
	uint64_t default_s;
};

static const struct tool tools[] = {
	{ .name = "agents",
		.title = "Sessions of coding agents",
		.description =
			"Start here when an agent, or something that it started, seems slow, stuck "
			"or heavy. Lists the sessions of coding agents on this machine: pid, "
			"session id, CPU, memory, what each does now and since when. With a pid or "
			"session: the tree of its processes. Next: why or diagnose for the one "
			"that looks wrong.",
		.arguments = TARGET,
		.command = "ps",
		.whole = { "--columns=pid,session_id,cpu_percent,rss_bytes,elapsed_time,agent,"
			   "project,task,flags,activity" },
		.of_target = { "--tree", "--columns=pid,cpu_percent,rss_bytes,elapsed_time,name,"
					 "role,flags,activity,command" } },
	{ .name = "why",
		.title = "What a process waits for",
		.description =
			"Use when a process or command hangs or makes no progress. Says what it "
			"waits for, how long, and which process could end the wait, to the end of "
			"the chain: child, lock holder, pipe, server, terminal. Without a target: "
			"all agents. Instant, changes nothing. Next: why for the last process "
			"named, or stack, diagnose.",
		.arguments = TARGET,
		.command = "why" },
	{ .name = "diagnose",
		.title = "What is wrong, with evidence",
		.description =
			"Use when something is slow, leaks, fails or burns CPU, or the cause is "
			"unknown. Observes a process or session (without a target: all agents and "
			"the machine) for some seconds and reports findings, worst first, with "
			"evidence and what to do, and what could not be checked. Next: stack or "
			"calls for the process that a finding names.",
		.arguments = TARGET | BIT(SECONDS),
		.command = "diagnose",
		.seconds = "--duration",
		.default_s = 5 },
	{ .name = "stack",
		.title = "Stacks at this moment",
		.description =
			"Use when you must know where in its code a process is: a hang, a "
			"deadlock, "
			"a busy loop. Shows the stack of every thread at this moment, Python "
			"functions by name; nothing is stopped. Call it twice: the same stack "
			"means "
			"it does not move. Next: why for what it waits for, calls for what it "
			"repeats.",
		.arguments = TARGET,
		.needs_target = true,
		.command = "stack" },
	{ .name = "calls",
		.title = "System calls, counted",
		.description =
			"Use when a process is busy or slow and you want to see what it asks the "
			"kernel for: files, network, sleeps, errors that repeat. Counts its system "
			"calls and those of its children for some seconds: how many, how long, "
			"which errors. Needs privilege; says so if it is missing. Next: diagnose "
			"or stack.",
		.arguments = TARGET | BIT(SECONDS),
		.needs_target = true,
		.command = "trace",
		.of_target = { "--count" },
		.seconds = "--duration",
		.default_s = 5 },
	{ .name = "timeline",
		.title = "A session over time",
		.description =
			"Use when you want to know where the time went. Says what sessions did "
			"over "
			"the last minutes: waited for the model, ran tools, computed, waited for "
			"the user, and problems by time; needs the history of `sooth monitor`. "
			"With "
			"a target and seconds: observes its CPU and memory from now on. Next: "
			"diagnose.",
		.arguments = TARGET | BIT(SECONDS) | BIT(MINUTES),
		.command = "timeline" },
	{ .name = "leftovers",
		.title = "What ended sessions left running",
		.description =
			"Use when processes seem to be left from earlier sessions: ports in use, "
			"memory or CPU taken, old servers. Lists processes whose session has "
			"ended, "
			"and MCP servers without a client, with the reason; no row: none is known. "
			"Ends nothing: ask the user before you end one that you did not start. "
			"Next: why or diagnose.",
		.command = "ps",
		.whole = { "--filter=is_orphaned or is_abandoned or is_superseded or is_daemon",
			"--columns=pid,cpu_percent,rss_bytes,elapsed_time,flags,"
			"orphaned_reason,abandoned_reason,command" },
		.columns = REASON_COLUMNS },
};

/* --- the list --- */

static void emit_argument(struct json *j, const struct tool *tool, enum argument of)
{
	json_key(j, known_arguments[of].name);
	if (of == ARGUMENT_SESSION)
		json_format(j,
			"{'type':'string','pattern':'^[A-Za-z0-9][A-Za-z0-9_-]*$','minLength':%d,"
			"'maxLength':%d",
			SESSION_LEAST, SESSION_MAX);
	else
		json_format(j, "{'type':'integer','minimum':1,'maximum':%llu",
			(unsigned long long)known_arguments[of].max);
	if (of == ARGUMENT_SECONDS && tool->default_s)
		json_format(j, "'default':%llu", (unsigned long long)tool->default_s);
	json_format(j, "'description':%s}", known_arguments[of].description);
}

static void emit_tool(struct json *j, const struct tool *tool)
{
	json_format(j, "{'name':%s,'title':%s,'description':%s,'inputSchema':{'type':'object',",
		tool->name, tool->title, tool->description);
	json_format(j, "'properties':{");
	for (enum argument of = 0; of < ARGUMENTS; of++) {
		if (tool->arguments & 1u << of)
			emit_argument(j, tool, of);
	}
	json_format(j,
		"},'additionalProperties':%i},'annotations':{'title':%s,'readOnlyHint':%i,"
		"'destructiveHint':%i,'openWorldHint':%i}}",
		false, tool->title, true, false, false);
}

void mcp_tools_emit(struct json *j)
{
	json_begin_array(j);
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
		emit_tool(j, &tools[i]);
	json_end(j);
}

/* --- a call --- */

static bool set_problem(char problem[MCP_PROBLEM_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static bool set_problem(char problem[MCP_PROBLEM_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem, MCP_PROBLEM_MAX, format, args);
	va_end(args);
	return false;
}

static bool has_target(const struct given *given)
{
	return given->numbers[ARGUMENT_PID] || *given->session;
}

/* An id of an agent's session: nothing that could be an option or a path. */
static bool is_session(const char *id)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_";
	size_t size = strlen(id);

	return size >= SESSION_LEAST && strspn(id, plain) == size && *id != '-' && *id != '_';
}

static bool read_argument(
	struct given *given, enum argument of, struct span value, char problem[MCP_PROBLEM_MAX])
{
	uint64_t number;

	if (of == ARGUMENT_SESSION) {
		if (json_scan_word(value, given->session, sizeof(given->session)) &&
			is_session(given->session))
			return true;
		return set_problem(problem,
			"session: expected an id of %d to %d letters, digits, - and _",
			SESSION_LEAST, SESSION_MAX);
	}
	if (!span_decimal(value, &number) || !number || number > known_arguments[of].max)
		return set_problem(problem, "%s: expected a whole number from 1 to %llu",
			known_arguments[of].name, (unsigned long long)known_arguments[of].max);
	given->numbers[of] = number;
	return true;
}

/* Returns the argument of this name; ARGUMENTS: the tool has none. */
static enum argument find_argument(const struct tool *tool, struct span name)
{
	char word[16];
	enum argument of = 0;

	if (!json_scan_word(name, word, sizeof(word)))
		return ARGUMENTS;
	while (of < ARGUMENTS &&
		(!(tool->arguments & 1u << of) || strcmp(known_arguments[of].name, word) != 0))
		of++;
	return of;
}

static bool read_arguments(const struct tool *tool, struct given *given, struct span arguments,
	char problem[MCP_PROBLEM_MAX])
{
	struct cursor members = cursor_over(arguments.data, arguments.size);
	struct span name, value;

	while (json_scan_next(&members, &name, &value)) {
		enum argument of = find_argument(tool, name);

		if (of == ARGUMENTS)
			return set_problem(problem, "%s has no argument %.*s", tool->name,
				(int)(name.size < 40 ? name.size : 40), name.data);
		if (!read_argument(given, of, value, problem))
			return false;
	}
	if (given->numbers[ARGUMENT_PID] && *given->session)
		return set_problem(problem, "pid and session exclude each other");
	if (tool->needs_target && !has_target(given))
		return set_problem(problem, "%s needs a pid or a session", tool->name);
	return true;
}

static void add_word(struct mcp_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add_word(struct mcp_command *command, const char *format, ...)
{
	va_list args;

	assert(command->count < MCP_WORDS_MAX);
	va_start(args, format);
	vsnprintf(command->words[command->count++], MCP_WORD_ROOM, format, args);
	va_end(args);
}

static void add_target(struct mcp_command *command, const struct given *given)
{
	if (given->numbers[ARGUMENT_PID])
		add_word(command, "--pid=%u", (unsigned)given->numbers[ARGUMENT_PID]);
	else if (*given->session)
		add_word(command, "--session=%s", given->session);
}

/* The history has no options for its target: it compares one word. */
static void add_history(struct mcp_command *command, const struct given *given)
{
	uint64_t minutes = given->numbers[ARGUMENT_MINUTES];

	add_word(command, "--last=%um", (unsigned)(minutes ? minutes : 60));
	if (given->numbers[ARGUMENT_PID])
		add_word(command, "%u", (unsigned)given->numbers[ARGUMENT_PID]);
	else if (*given->session)
		add_word(command, "%s", given->session);
}

static bool add_timeline(
	struct mcp_command *command, const struct given *given, char problem[MCP_PROBLEM_MAX])
{
	if (!given->numbers[ARGUMENT_SECONDS]) {
		add_history(command, given);
		return true;
	}
	if (given->numbers[ARGUMENT_MINUTES])
		return set_problem(problem,
			"minutes look back and seconds look ahead: they exclude each other");
	if (!has_target(given))
		return set_problem(problem, "seconds need a pid or a session");
	command->columns = BAR_COLUMNS;
	add_word(command, "--duration=%u", (unsigned)given->numbers[ARGUMENT_SECONDS]);
	add_target(command, given);
	return true;
}

static const struct tool *find_tool(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		if (!strcmp(tools[i].name, name))
			return &tools[i];
	}
	return NULL;
}

bool mcp_tool_command(struct mcp_command *command, const char *name, struct span arguments,
	char problem[MCP_PROBLEM_MAX])
{
	const struct tool *tool = find_tool(name);
	struct given given = { 0 };
	const char *const *options;
	uint64_t seconds;

	assert(command);
	if (!tool)
		return set_problem(problem, "there is no such tool");
	*command = (struct mcp_command){ .columns = tool->columns ? tool->columns : COLUMNS };
	if (!read_arguments(tool, &given, arguments, problem))
		return false;
	seconds =
		given.numbers[ARGUMENT_SECONDS] ? given.numbers[ARGUMENT_SECONDS] : tool->default_s;
	command->limit_ns = LIMIT_NS + seconds * NS_PER_S;
	add_word(command, "sooth");
	add_word(command, "%s", tool->command);
	options = has_target(&given) ? tool->of_target : tool->whole;
	for (size_t i = 0; i < ARRAY_SIZE(tool->whole) && options[i]; i++)
		add_word(command, "%s", options[i]);
	if (tool->arguments & BIT(MINUTES))
		return add_timeline(command, &given, problem);
	if (tool->seconds)
		add_word(command, "%s=%u", tool->seconds, (unsigned)seconds);
	add_target(command, &given);
	return true;
}
