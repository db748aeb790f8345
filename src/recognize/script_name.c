/* SPDX-License-Identifier: BSD-2-Clause */
#include "recognize/script_name.h"

#include <string.h>

#include "base/cleanup.h"
#include "recognize/script.h"

#define NAME_MOST     40 /* bytes: a longer one fills a line */
#define KERNEL_NAME   15 /* bytes of a process's own name that the kernel keeps */
#define ARGUMENTS_MAX 64

enum way {
	WAY_EXTENSION, /* the first argument with the extension: options may have values */
	WAY_SHELL,
	WAY_JAVA,
};

static const struct {
	const char *program; /* a version may follow: ruby3.1 */
	enum way way;
	const char *extension;
} programs[] = {
	{ "sh", WAY_SHELL, NULL },
	{ "bash", WAY_SHELL, NULL },
	{ "dash", WAY_SHELL, NULL },
	{ "ksh", WAY_SHELL, NULL },
	{ "zsh", WAY_SHELL, NULL },
	{ "java", WAY_JAVA, NULL },
	{ "ruby", WAY_EXTENSION, ".rb" },
	{ "perl", WAY_EXTENSION, ".pl" },
	{ "php", WAY_EXTENSION, ".php" },
	{ "lua", WAY_EXTENSION, ".lua" },
	{ "luajit", WAY_EXTENSION, ".lua" },
	{ "tclsh", WAY_EXTENSION, ".tcl" },
	{ "Rscript", WAY_EXTENSION, ".R" },
	{ "osascript", WAY_EXTENSION, ".scpt" },
};

static const char *const shell_values[] = { "--rcfile", "--init-file" };
static const char *const java_values[] = { "-cp", "-classpath", "--class-path", "-p",
	"--module-path", "--add-modules", "--add-opens", "--add-exports", "--add-reads" };

static struct span script_of_shell(struct cursor *c)
{
	for (unsigned i = 0; i < ARGUMENTS_MAX && !cursor_at_end(c); i++) {
		struct span word = cursor_until(c, '\0');

		if (!span_starts(word, "-") && !span_starts(word, "+"))
			return word;
		if (SPAN_ANY(word, span_equal, shell_values))
			cursor_until(c, '\0');
		else if (span_starts(word, "--") || word.size < 2)
			continue;
		else if (memchr(word.data, 'c', word.size) || memchr(word.data, 's', word.size))
			break; /* a text, or its input: `bash -lc "..."`, `sh -s -- ARGUMENT` */
		else if (span_ends(word, "o") || span_ends(word, "O"))
			cursor_until(c, '\0'); /* the name of an option: -euo pipefail */
	}
	return span_of("", 0);
}

static struct span program_of_java(struct cursor *c)
{
	for (unsigned i = 0; i < ARGUMENTS_MAX && !cursor_at_end(c); i++) {
		struct span word = cursor_until(c, '\0');

		if (span_equal(word, "-jar") || span_equal(word, "-m") ||
			span_equal(word, "--module"))
			return cursor_until(c, '\0');
		if (!span_starts(word, "-"))
			return word;
		if (SPAN_ANY(word, span_equal, java_values))
			cursor_until(c, '\0');
	}
	return span_of("", 0);
}

static struct span with_extension(struct cursor *c, const char *extension)
{
	for (unsigned i = 0; i < ARGUMENTS_MAX && !cursor_at_end(c); i++) {
		struct span word = cursor_until(c, '\0');

		if (word.size > strlen(extension) && span_ends(word, extension))
			return word;
	}
	return span_of("", 0);
}

static struct span find_script(struct span program, struct span arguments, struct cursor *behind)
{
	enum interpreter interpreter = interpreter_of(program);
	struct script script = script_of(interpreter, arguments);

	if (interpreter)
		return script.path.size ? script.path : script.module;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (!script_is_version_of(program, programs[i].program))
			continue;
		switch (programs[i].way) {
		case WAY_EXTENSION:
			return with_extension(behind, programs[i].extension);
		case WAY_SHELL:
			return script_of_shell(behind);
		case WAY_JAVA:
			return program_of_java(behind);
		}
	}
	return span_of("", 0);
}

/* Returns whether the process has the script's name, cut by the kernel: a script whose first line
 * names its interpreter has. */
static bool is_own_name(struct span script, struct span name)
{
	if (script.size > name.size && name.size != KERNEL_NAME)
		return false;
	return script.size >= name.size && !memcmp(script.data, name.data, name.size);
}

struct span script_name_of(struct span name, struct span arguments)
{
	struct cursor c = cursor_over(arguments.data, arguments.size);
	struct span program = path_base(cursor_until(&c, '\0')), found;

	if (span_starts(program, "-")) /* a login shell */
		program = span_of(program.data + 1, program.size - 1);
	found = path_base(find_script(program, arguments, &c));
	if (!found.size || found.size > NAME_MOST)
		return span_of("", 0);
	if (is_own_name(found, name))
		return span_of("", 0);
	return found;
}
