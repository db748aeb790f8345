/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/mcp/tools.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/mcp/message.h"

#define COLUMNS		200
#define BAR_COLUMNS	60 /* a column of a bar has three bytes */
#define REASON_COLUMNS	320
#define SECONDS_MAX	30
#define DEFAULT_MINUTES 60
#define MINUTES_MAX	1440
#define PID_MAX		INT32_MAX
#define SESSION_LEAST	4
#define SESSION_MAX	64
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
	long long max; /* 0: a session */
} known_arguments[ARGUMENTS] = {
	[ARGUMENT_PID] = { "pid", "process id", PID_MAX },
	[ARGUMENT_SESSION] = { "session",
		"session id of an agent, or its first 4 or more characters", 0 },
	[ARGUMENT_SECONDS] = { "seconds", "how long to observe", SECONDS_MAX },
	[ARGUMENT_MINUTES] = { "minutes", "how far to look back (60)", MINUTES_MAX },
};

/* Values of the arguments of a call; 0, "": not given. */
struct given {
	unsigned numbers[ARGUMENTS];
	const char *session;
};

#define BIT(argument) (1u << ARGUMENT_##argument)
#define TARGET	      (BIT(PID) | BIT(SESSION))

struct tool {
	const char *name, *title, *description;
	unsigned arguments; /* a bit for each */
	bool needs_target;
	const char *command;
	const char *whole[3];	  /* fixed options, without a target */
	const char *of_target[3]; /* likewise, with a target */
	int columns;		  /* 0: COLUMNS */
	unsigned seconds;	  /* by default; 0: it reads the history */
};

#define TOOL(name_, title_, description_, command_, ...)                                           \
	{ .name = name_,                                                                           \
		.title = title_,                                                                   \
		.description = description_,                                                       \
		.command = command_,                                                               \
		__VA_ARGS__ },
static const struct tool tools[] = {
#include "cli/mcp/tools.def"
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
		json_format(
			j, "{'type':'integer','minimum':1,'maximum':%lld", known_arguments[of].max);
	if (of == ARGUMENT_SECONDS && tool->seconds)
		json_format(j, "'default':%d", (int)tool->seconds);
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

	return size >= SESSION_LEAST && size <= SESSION_MAX && strspn(id, plain) == size &&
	       *id != '-' && *id != '_';
}

static bool read_argument(
	struct given *given, enum argument of, const json_t *value, char problem[MCP_PROBLEM_MAX])
{
	long long number = json_integer_value(value), max = known_arguments[of].max;

	if (of == ARGUMENT_SESSION) {
		given->session = mcp_text(value);
		return is_session(given->session) ||
		       set_problem(problem,
			       "session: expected an id of %d to %d letters, digits, - and _",
			       SESSION_LEAST, SESSION_MAX);
	}
	given->numbers[of] = (unsigned)number;
	return (number >= 1 && number <= max) ||
	       set_problem(problem, "%s: expected a whole number from 1 to %lld",
		       known_arguments[of].name, max);
}

static bool refuse_argument(
	const struct tool *tool, const char *name, char problem[MCP_PROBLEM_MAX])
{
	size_t used;

	set_problem(problem, "%s has no argument \"%.40s\"; it takes%s", tool->name, name,
		tool->arguments ? "" : " none");
	for (enum argument of = 0; of < ARGUMENTS; of++) {
		used = strlen(problem);
		if (tool->arguments & 1u << of)
			snprintf(problem + used, MCP_PROBLEM_MAX - used, " %s",
				known_arguments[of].name);
	}
	return false;
}

/* Returns the argument of this name; ARGUMENTS: the tool has none. */
static enum argument find_argument(const struct tool *tool, const char *name)
{
	enum argument of = 0;

	while (of < ARGUMENTS &&
		(!(tool->arguments & 1u << of) || strcmp(known_arguments[of].name, name) != 0))
		of++;
	return of;
}

static bool read_arguments(const struct tool *tool, struct given *given, json_t *arguments,
	char problem[MCP_PROBLEM_MAX])
{
	const char *name;
	json_t *value;

	json_object_foreach(arguments, name, value)
	{
		enum argument of = find_argument(tool, name);

		if (of == ARGUMENTS)
			return refuse_argument(tool, name, problem);
		if (!json_is_null(value) && !read_argument(given, of, value, problem))
			return false;
	}
	if (given->numbers[ARGUMENT_PID] && *given->session)
		return set_problem(problem, "pid and session exclude each other");
	if (given->numbers[ARGUMENT_SECONDS] && given->numbers[ARGUMENT_MINUTES])
		return set_problem(problem, "seconds look ahead and minutes look back: name one");
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

/* The history has no options for its target: it compares one word. */
static void add_target(struct mcp_command *command, const struct given *given, bool is_word)
{
	if (given->numbers[ARGUMENT_PID])
		add_word(command, "%s%u", is_word ? "" : "--pid=", given->numbers[ARGUMENT_PID]);
	else if (*given->session)
		add_word(command, "%s%s", is_word ? "" : "--session=", given->session);
}

/* Adds what the command does for which time. Returns whether it reads the history. */
static bool add_time(
	struct mcp_command *command, const struct tool *tool, const struct given *given)
{
	unsigned seconds = given->numbers[ARGUMENT_SECONDS];
	unsigned minutes = given->numbers[ARGUMENT_MINUTES];
	bool is_history = tool->arguments & BIT(MINUTES) && !seconds;

	if (is_history) {
		command->columns = COLUMNS;
		add_word(command, "--last=%um", minutes ? minutes : DEFAULT_MINUTES);
	} else if (tool->arguments & BIT(SECONDS)) {
		add_word(command, "--duration=%u", seconds ?: tool->seconds);
	}
	return is_history;
}

static const struct tool *find_tool(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		if (!strcmp(tools[i].name, name))
			return &tools[i];
	}
	return NULL;
}

bool mcp_tool_command(struct mcp_command *command, const char *name, json_t *arguments,
	char problem[MCP_PROBLEM_MAX])
{
	const struct tool *tool = find_tool(name);
	struct given given = { .session = "" };
	const char *const *options;

	assert(command);
	if (!tool)
		return set_problem(problem, "there is no such tool");
	*command = (struct mcp_command){ .columns = tool->columns ? tool->columns : COLUMNS };
	if (!read_arguments(tool, &given, arguments, problem))
		return false;
	command->limit_ns = LIMIT_NS + given.numbers[ARGUMENT_SECONDS] * NS_PER_S;
	add_word(command, "sooth");
	add_word(command, "%s", tool->command);
	options = has_target(&given) ? tool->of_target : tool->whole;
	for (size_t i = 0; i < ARRAY_SIZE(tool->whole) && options[i]; i++)
		add_word(command, "%s", options[i]);
	add_target(command, &given, add_time(command, tool, &given));
	return true;
}
