/* SPDX-License-Identifier: BSD-2-Clause */
/* Scripts, and the folders they lie in; see script.h. */
#include "recognize/script.h"

#include <string.h>

#define ARGUMENTS_MAX 256 /* looked at: no command line has more options before its script */
#define MODULES	      "node_modules"

/* Options whose value is the next argument, unless it stands behind "=". */
static const char *const javascript_values[] = { "-r", "--require", "--import", "--loader",
	"--experimental-loader", "-C", "--conditions", "--env-file", "--title", "--preload",
	"--config", "-c", "--cwd", "--input-type", "--icu-data-dir", "--openssl-config",
	"--disable-warning", "--max-http-header-size", "--stack-trace-limit", "--cpu-prof-dir",
	"--diagnostic-dir", "--redirect-warnings", "--report-dir", "--unhandled-rejections" };
/* Options whose next argument is the program text itself. */
static const char *const javascript_texts[] = { "-e", "--eval", "-p", "--print", "-pe" };
/* bun and deno have commands of their own before the script. */
static const char *const javascript_commands[] = { "run", "x" };
static const char *const python_values[] = { "-W", "-X", "--check-hash-based-pycs" };

bool script_is_version_of(struct span name, const char *program)
{
	size_t at = strlen(program);

	if (!span_starts(name, program))
		return false;
	while (at < name.size && strchr("0123456789.", name.data[at]))
		at++;
	return at == name.size;
}

enum interpreter interpreter_of(struct span executable)
{
	static const char *const names[] = { "node", "nodejs", "bun", "deno" };
	struct span name = path_base(executable);

	if (SPAN_ANY(name, span_equal, names))
		return INTERPRETER_JAVASCRIPT;
	return script_is_version_of(name, "python") ? INTERPRETER_PYTHON : INTERPRETER_NONE;
}

static struct script script_or_command(struct cursor *c, struct span interpreter)
{
	bool has_commands = !span_equal(interpreter, "node") && !span_equal(interpreter, "nodejs");
	struct script none = { 0 };

	for (unsigned i = 0; i < ARGUMENTS_MAX && !cursor_at_end(c); i++) {
		struct span word = cursor_until(c, '\0');

		if (span_equal(word, "--"))
			return (struct script){ .path = cursor_until(c, '\0') };
		if (SPAN_ANY(word, span_equal, javascript_texts))
			return none;
		if (SPAN_ANY(word, span_equal, javascript_values))
			cursor_until(c, '\0');
		else if (has_commands && SPAN_ANY(word, span_equal, javascript_commands))
			has_commands = false;
		else if (!span_starts(word, "-"))
			return (struct script){ .path = word };
	}
	return none;
}

static struct script script_or_module(struct cursor *c)
{
	struct script none = { 0 };

	for (unsigned i = 0; i < ARGUMENTS_MAX && !cursor_at_end(c); i++) {
		struct span word = cursor_until(c, '\0');

		if (!span_starts(word, "-"))
			return (struct script){ .path = word };
		if (span_equal(word, "-") || span_equal(word, "--") || span_starts(word, "-c"))
			return none;
		if (SPAN_ANY(word, span_equal, python_values))
			cursor_until(c, '\0');
		/* Short options may be run together: -Im */
		else if (!span_starts(word, "--") && span_ends(word, "m"))
			return (struct script){ .module = cursor_until(c, '\0') };
		else if (!span_starts(word, "--") && span_ends(word, "c"))
			return none;
	}
	return none;
}

struct script script_of(enum interpreter interpreter, struct span arguments)
{
	struct cursor c = cursor_over(arguments.data, arguments.size);
	struct span first = path_base(cursor_until(&c, '\0'));

	if (interpreter == INTERPRETER_JAVASCRIPT)
		return script_or_command(&c, first);
	if (interpreter == INTERPRETER_PYTHON)
		return script_or_module(&c);
	return (struct script){ 0 };
}

struct span path_below(struct span path, const char *folders)
{
	size_t length = strlen(folders);

	while (path.size >= length + 2) {
		const char *slash = memchr(path.data, '/', path.size - length - 1);

		if (!slash)
			break;
		path.size -= (size_t)(slash + 1 - path.data);
		path.data = slash + 1;
		if (path.data[length] == '/' && !memcmp(path.data, folders, length))
			return span_of(path.data + length + 1, path.size - length - 1);
	}
	return span_of("", 0);
}

struct span path_package(struct span path, struct span *rest)
{
	struct span name = span_of("", 0), more = path_below(path, MODULES);
	struct cursor c;

	while (more.size) {
		struct span next = path_below(span_of(more.data - 1, more.size + 1), MODULES);

		name = more;
		more = next;
	}
	c = cursor_over(name.data, name.size);
	more = cursor_until(&c, '/');
	if (span_starts(more, "@"))
		more.size += cursor_until(&c, '/').size + 1;
	if (cursor_at_end(&c)) /* the package's own folder, or a file in place of a package */
		more = span_of("", 0);
	if (rest)
		*rest = span_of((const char *)c.at, cursor_left(&c));
	return more;
}
