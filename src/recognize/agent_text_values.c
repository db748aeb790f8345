/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the values in a text about an agent. */
#include "recognize/agent_text_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "secrets/mask.h"
#include "recognize/script.h"

#define LETTERS_MAX    32
#define TITLE_MAX      64
#define VARIABLE_MAX   64
#define OPTION_MAX     64
#define SECTION_MAX    32
#define PATH_NAMES_MAX 16 /* names that agent_path.c compares */

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define PATH_SHOWN 150 /* bytes of a path; of a longer one its end is shown */

int agent_text_wrong(struct agent_parser *p, const char *remedy, const char *why, ...)
{
	size_t size = strlen(p->path);
	const char *path = size > PATH_SHOWN ? p->path + size - PATH_SHOWN : p->path;
	char text[sizeof(p->err->why)];
	va_list arguments;

	va_start(arguments, why);
	vsnprintf(text, sizeof(text), why, arguments);
	va_end(arguments);
	if (p->line)
		error_set(p->err, -EINVAL, SOOTH_FAULT_USAGE, "use %s:%u", path, p->line);
	else
		error_set(p->err, -EINVAL, SOOTH_FAULT_USAGE, "use %s", path);
	error_why(p->err, "%s", text);
	return error_remedy(p->err, "%s", remedy);
}

static bool has_only_characters(const char *value, const char *legal)
{
	return value[0] && !value[strspn(value, legal)];
}

/* Returns whether a name is that of interpreters, launchers, or many programs or threads. */
bool agent_value_is_generic(const char *name)
{
	static const char *const names[] = { "MainThread", "agent", "app", "ash", "bash", "busybox",
		"cargo", "cat", "cli", "cmd", "code", "dash", "docker", "emacs", "env", "exe",
		"fish", "git", "go", "index", "java", "ksh", "less", "main", "make", "nano",
		"nohup", "npm", "npx", "nvim", "perl", "php", "pip", "pip3", "pnpm", "program",
		"ruby", "run", "rust", "screen", "script", "server", "service", "setsid", "sh",
		"ssh", "start", "sudo", "systemd", "tail", "tmux", "tool", "ts-node", "tsx", "uv",
		"uvx", "vi", "vim", "worker", "yarn", "zsh" };

	return interpreter_of(span_of_string(name)) ||
	       SPAN_ANY(span_of_string(name), span_equal, names);
}

bool agent_value_is_generic_folder(const char *folders)
{
	static const char *const names[] = { ".bun", ".cache", ".cargo", ".config", ".local",
		".npm", ".npm-global", "bin", "current", "dist", "home", "lib", "lib64", "libexec",
		"local", "node_modules", "opt", "root", "sbin", "share", "site-packages", "snap",
		"srv", "tmp", "usr", "var", "versions" };
	struct cursor c = cursor_over(folders, strlen(folders));

	while (!cursor_at_end(&c)) {
		if (!SPAN_ANY(cursor_until(&c, '/'), span_equal, names))
			return false;
	}
	return true;
}

static const char *wrong_name(const char *value)
{
	if (strlen(value) > LETTERS_MAX)
		return "a name has at most 32 letters";
	if (!strchr(LOWER, value[0]) || !has_only_characters(value, LOWER DIGITS "-_"))
		return "a name begins with a lower-case letter; digits, - and _ may follow";
	return NULL;
}

static const char *wrong_title(const char *value)
{
	return strlen(value) > TITLE_MAX ? "it is longer than 64 bytes" : NULL;
}

/* Checks a component as path_below() compares it. */
static const char *wrong_component(struct span part)
{
	if (!part.size)
		return "separate folders by one /, with none at the start or end";
	if (span_equal(part, ".") || span_equal(part, ".."))
		return "a path of a program has no component . or ..";
	return NULL;
}

static const char *wrong_folders(const char *value)
{
	struct cursor c = cursor_over(value, strlen(value));
	const char *wrong = NULL;

	if (value[0] == '/')
		return "folders match anywhere in a path: remove the leading /";
	if (value[0] == '~')
		return "folders match anywhere in a path: write x for ~/x";
	if (!value[0] || value[strlen(value) - 1] == '/')
		return wrong_component(span_of("", 0));
	while (!wrong && !cursor_at_end(&c))
		wrong = wrong_component(cursor_until(&c, '/'));
	return wrong;
}

static const char *wrong_file_name(struct span name)
{
	return memchr(name.data, '/', name.size) ? "expected a file name without folders"
						 : wrong_component(name);
}

static const char *wrong_file(const char *value)
{
	return wrong_file_name(span_of_string(value));
}

static const char *wrong_package(const char *value)
{
	static const char wrong[] = "expected an npm package name such as mine or @team/mine";
	const char *name = value;

	if (value[0] == '@') {
		name = strchr(value, '/');
		if (!name || name == value + 1)
			return wrong;
		name++;
	}
	if (!has_only_characters(name, LOWER UPPER DIGITS "-._~"))
		return wrong;
	/* A team may use the word "agent" in its own names. */
	return name == value && agent_value_is_generic(value) ? "other programs use this name too"
							      : NULL;
}

static const char *wrong_module(const char *value)
{
	static const char *const common[] = { "asyncio", "http", "http.server", "ipykernel",
		"ipykernel_launcher", "json.tool", "jupyter", "mcp", "pdb", "pytest", "unittest",
		"uvicorn", "venv" };

	if (!has_only_characters(value, LOWER UPPER DIGITS "._-") || strchr(DIGITS ".-", value[0]))
		return "expected a Python module name such as mine or mine.cli";
	return SPAN_ANY(span_of_string(value), span_equal, common) || agent_value_is_generic(value)
		       ? "other programs run it too"
		       : NULL;
}

static const char *wrong_section(const char *value)
{
	return value[0] == '.' && strlen(value) <= SECTION_MAX &&
			       has_only_characters(value, LOWER UPPER DIGITS "._-")
		       ? NULL
		       : "expected a section name such as .rodata or .bun";
}

static const char *wrong_variable(const char *value)
{
	if (strlen(value) > VARIABLE_MAX || !has_only_characters(value, LOWER UPPER DIGITS "_") ||
		strchr(DIGITS, value[0]))
		return "expected a variable name such as MINE_SESSION_ID";
	/* The value of such a variable would appear in captures. */
	if (mask_is_secret_name(value, strlen(value)))
		return "a variable of that name holds a secret";
	return NULL;
}

static const char *wrong_marker(const char *value)
{
	static const char *const common[] = { "_", "COLORTERM", "DISPLAY", "EDITOR", "GIT_EDITOR",
		"HOME", "HOSTNAME", "LANG", "LANGUAGE", "LOGNAME", "MAIL", "NODE_ENV",
		"NODE_OPTIONS", "OLDPWD", "PAGER", "PATH", "PWD", "SHELL", "SHLVL", "TERM",
		"TMPDIR", "TMUX", "TZ", "USER", "VISUAL" };
	struct span name = span_of_string(value);
	const char *wrong = wrong_variable(value);

	if (wrong)
		return wrong;
	return SPAN_ANY(name, span_equal, common) || span_starts(name, "LC_") ||
			       span_starts(name, "XDG_") || span_starts(name, "SSH_")
		       ? "processes that no agent started have it too"
		       : NULL;
}

/* Checks a path below a home; braces may contain one of `places`. */
static const char *wrong_pattern(const char *value, const char *const *places, const char *which)
{
	const char *wrong = wrong_folders(value), *open, *close;
	unsigned names = 1;

	if (wrong)
		return value[0] == '/' || value[0] == '~'
			       ? "the path is relative to the home folder"
			       : wrong;
	for (const char *at = value; (at = strchr(at, '/')); at++)
		names++;
	if (names > PATH_NAMES_MAX)
		return "a path has at most 16 names";
	for (const char *at = value; (open = strpbrk(at, "{}")); at = close + 1) {
		struct span place;
		size_t i = 0;

		close = strchr(open, '}');
		if (*open == '}' || !close)
			return "{ and } must enclose a word";
		place = span_of(open + 1, (size_t)(close - open - 1));
		while (places[i] && !span_equal(place, places[i]))
			i++;
		if (!places[i])
			return which;
	}
	return NULL;
}

static const char *wrong_home(const char *value)
{
	static const char *const places[] = { NULL };
	const char *wrong = wrong_pattern(value, places, "a home is one folder without braces");

	return !wrong && strchr(value, '*') ? "a home is one folder without *" : wrong;
}

/* Checks the pattern of a session file. It must stand for one name, as none is searched for. */
static const char *wrong_session_file(const char *value)
{
	static const char *const places[] = { "pid", "directory", NULL };
	const char *wrong = wrong_pattern(value, places, "allowed in braces: pid, directory");

	return !wrong && strchr(value, '*') ? "one file, without *; only log and open-file take *"
					    : wrong;
}

static const char *wrong_open_file(const char *value)
{
	static const char *const places[] = { "pid", "session", "directory", NULL };
	const char *wrong =
		wrong_pattern(value, places, "allowed in braces: pid, session, directory");

	return !wrong && !strstr(value, "{session}") ? "{session} is missing" : wrong;
}

static const char *wrong_log(const char *value)
{
	static const char *const places[] = { "pid", "session", "directory", "project", NULL };
	const char *wrong =
		wrong_pattern(value, places, "allowed in braces: pid, session, directory, project");
	struct cursor c = cursor_over(value, strlen(value));

	while (!wrong && !cursor_at_end(&c)) {
		struct span name = cursor_until(&c, '/');

		if (span_contains(name, AGENT_PROJECT) && !span_equal(name, AGENT_PROJECT))
			wrong = "{project} must be a whole path component";
	}
	return wrong;
}

/* Checks the folder name that pip gives a distribution. */
static const char *wrong_distribution(const char *value)
{
	return has_only_characters(value, LOWER UPPER DIGITS "._") && !strchr(DIGITS ".", value[0])
		       ? NULL
		       : "expected a distribution folder such as mine_agent, with _ for -";
}

/* Returns the error in the first wrong name of a line, with blanks between names; NULL: none. */
static const char *wrong_names(const char *value)
{
	struct cursor c = cursor_over(value, strlen(value));
	const char *wrong = NULL;

	while (!wrong && !cursor_at_end(&c))
		wrong = wrong_file_name(cursor_until(&c, ' '));
	return wrong;
}

static const char *wrong_member(const char *value)
{
	if (!has_only_characters(value, LOWER UPPER DIGITS "_-"))
		return "expected a JSON member name such as sessionId";
	return mask_is_secret_name(value, strlen(value)) ? "a member of that name holds a secret"
							 : NULL;
}

static const char *wrong_option(const char *value)
{
	if (value[0] != '-' || !value[1] || strlen(value) > OPTION_MAX || strchr(value, '='))
		return "expected an option such as --resume or -r";
	return mask_is_secret_name(value, strlen(value)) ? "an option of that name holds a secret"
							 : NULL;
}

const char *agent_value_wrong(enum agent_value kind, const char *value)
{
	static const char *(*const wrong[])(const char *value) = {
		[AGENT_VALUE_NAME] = wrong_name,
		[AGENT_VALUE_TITLE] = wrong_title,
		[AGENT_VALUE_FOLDERS] = wrong_folders,
		[AGENT_VALUE_FILE] = wrong_file,
		[AGENT_VALUE_PACKAGE] = wrong_package,
		[AGENT_VALUE_MODULE] = wrong_module,
		[AGENT_VALUE_SECTION] = wrong_section,
		[AGENT_VALUE_VARIABLE] = wrong_variable,
		[AGENT_VALUE_MARKER] = wrong_marker,
		[AGENT_VALUE_HOME] = wrong_home,
		[AGENT_VALUE_SESSION_FILE] = wrong_session_file,
		[AGENT_VALUE_OPEN_FILE] = wrong_open_file,
		[AGENT_VALUE_LOG] = wrong_log,
		[AGENT_VALUE_DISTRIBUTION] = wrong_distribution,
		[AGENT_VALUE_NAMES] = wrong_names,
		[AGENT_VALUE_MEMBER] = wrong_member,
		[AGENT_VALUE_OPTION] = wrong_option,
	};

	return wrong[kind] ? wrong[kind](value) : NULL;
}
