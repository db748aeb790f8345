/* SPDX-License-Identifier: BSD-2-Clause */
/* Names a server by its command. Runners (npx, uvx) and shells are skipped: they start servers. npm
 * overwrites its arguments with one text, "npm exec PACKAGE". */
#include "analyze/process_table/server_name.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "recognize/script.h"

#define WORDS_MAX 32 /* later words do not name a server */
#define DEPTH_MAX 4  /* a shell runs npx, which runs another program */
#define PARTS_MAX 6  /* most generic folders of a path that are skipped */

struct words {
	struct span all[WORDS_MAX];
	size_t count;
};

static void split_words(struct words *w, struct span text, char by)
{
	struct cursor c = cursor_over(text.data, text.size);

	w->count = 0;
	while (!cursor_at_end(&c) && w->count < WORDS_MAX) {
		w->all[w->count] = cursor_until(&c, by);
		w->count += w->all[w->count].size > 0;
	}
}

/* --- parts --- */

static struct span without_extension(struct span file)
{
	static const char *const extensions[] = { ".js", ".mjs", ".cjs", ".ts", ".py", ".sh",
		".exe" };

	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
		if (span_ends(file, extensions[i]) && file.size > strlen(extensions[i]))
			return span_of(file.data, file.size - strlen(extensions[i]));
	}
	return file;
}

/* Returns the bare name: "name" of "@scope/name@1.2", "mcp-server" of "mcp-server==3". */
static struct span server_of_package(struct span package)
{
	size_t from = 0, size;

	for (size_t i = 0; i < package.size; i++) {
		if (package.data[i] == '/')
			from = i + 1;
	}
	package = span_of(package.data + from, package.size - from);
	for (size = 1; size < package.size && !strchr("@=[<>~!;", package.data[size]); size++)
		;
	return span_of(package.data, size < package.size ? size : package.size);
}

/* Names a script by its file, or by its project's folder if the file name is generic. */
static struct span server_of_script(struct span path)
{
	static const char *const anybody[] = { "index", "main", "__main__", "server", "cli", "app",
		"start", "run", "bin", "dist", "build", "src", "lib", "out", "node_modules" };
	struct span whole = path, name;

	for (int i = 0; i < PARTS_MAX && path.size; i++) {
		name = without_extension(path_base(path));
		if (name.size && !SPAN_ANY(name, span_equal, anybody))
			return name;
		while (path.size && path.data[path.size - 1] != '/')
			path.size--;
		while (path.size && path.data[path.size - 1] == '/')
			path.size--;
	}
	return without_extension(path_base(whole));
}

/* --- runners --- */

/* Returns the first word that is no option, or the value of -p, --package or --from before it. */
static struct span first_of(const struct words *w, size_t at)
{
	static const char *const named[] = { "-p", "--package", "--from" };
	static const char *const valued[] = { "-c", "--call", "--with", "--python", "--directory",
		"--cwd", "--prefix", "--registry", "--index-url", "--env-file", "--cache" };
	static const char package[] = "--package=";

	for (; at < w->count; at++) {
		struct span word = w->all[at];

		if (SPAN_ANY(word, span_equal, named))
			return at + 1 < w->count ? w->all[at + 1] : span_of("", 0);
		if (span_starts(word, package))
			return span_of(word.data + strlen(package), word.size - strlen(package));
		if (SPAN_ANY(word, span_equal, valued))
			at++;
		else if (word.data[0] != '-')
			return word;
	}
	return span_of("", 0);
}

/* Returns the package that a runner runs; empty: not a runner. */
static struct span run_by(const struct words *w)
{
	static const char *const alone[] = { "npx", "bunx", "uvx", "pnpx" };
	static const struct {
		const char *program, *verb;
	} pairs[] = { { "npm", "exec" }, { "npm", "x" }, { "pnpm", "dlx" }, { "pnpm", "exec" },
		{ "yarn", "dlx" }, { "bun", "x" }, { "pipx", "run" }, { "uv", "run" } };
	struct span program = w->count ? without_extension(path_base(w->all[0])) : span_of("", 0);
	size_t at = 1;

	/* node .../npx-cli.js, as long as npm has not overwritten its arguments. */
	if (w->count > 1 && (span_equal(path_base(w->all[1]), "npx") ||
				    span_equal(path_base(w->all[1]), "npx-cli.js"))) {
		program = span_of("npx", 3);
		at = 2;
	}
	if (SPAN_ANY(program, span_equal, alone))
		return first_of(w, at);
	if (w->count > 3 && span_equal(program, "uv") && span_equal(w->all[1], "tool") &&
		span_equal(w->all[2], "run"))
		return first_of(w, 3);
	for (size_t i = 0; i < ARRAY_SIZE(pairs) && w->count > 2; i++) {
		if (span_equal(program, pairs[i].program) && span_equal(w->all[1], pairs[i].verb))
			return first_of(w, 2);
	}
	return span_of("", 0);
}

/* Returns the command given to a shell; empty: not a shell, or it runs a script. */
static struct span given_to_shell(const struct words *w)
{
	static const char *const shells[] = { "sh", "bash", "dash", "zsh", "ash" };
	struct span program = w->count ? path_base(w->all[0]) : span_of("", 0);

	if (!SPAN_ANY(program, span_equal, shells))
		return span_of("", 0);
	for (size_t i = 1; i + 1 < w->count; i++) {
		if (w->all[i].data[0] != '-')
			break;
		if (w->all[i].data[1] != '-' && memchr(w->all[i].data, 'c', w->all[i].size))
			return w->all[i + 1];
	}
	return span_of("", 0);
}

/* Drops "exec", "env" and "NAME=value" before the command. */
static void drop_prefix(struct words *w)
{
	size_t at = 0;

	while (at + 1 < w->count &&
		(span_equal(w->all[at], "exec") || span_equal(w->all[at], "env") ||
			memchr(w->all[at].data, '=', w->all[at].size)))
		at++;
	memmove(w->all, w->all + at, (w->count - at) * sizeof(w->all[0]));
	w->count -= at;
}

/* --- the name --- */

static struct server_name server_named(struct span name, struct span from)
{
	return (struct server_name){ name, from };
}

/* Names a server by its path; the folders above the name are not part of the name. */
static struct server_name named_by_path(struct span path)
{
	struct span name = server_of_script(path);

	return server_named(name, span_of(name.data, path.size - (size_t)(name.data - path.data)));
}

/* Names a server of node SCRIPT or python -m MODULE. The words may be split already, so they are
 * rejoined from their first and last byte. */
static struct server_name name_interpreted(
	enum interpreter interpreter, struct span arguments, struct span package)
{
	struct script script = script_of(interpreter, arguments);

	if (script.module.size)
		return server_named(script.module, script.module);
	if (!script.path.size)
		return server_named(span_of("", 0), span_of("", 0));
	if (!package.size)
		package = path_package(script.path, NULL);
	return package.size ? server_named(server_of_package(package), package)
			    : named_by_path(script.path);
}

static struct server_name server_of_words(struct words *w)
{
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		struct span package = run_by(w), command = given_to_shell(w);

		if (package.size)
			return package.data[0] == '/' || package.data[0] == '.'
				       ? named_by_path(package)
				       : server_named(server_of_package(package), package);
		if (!command.size)
			break;
		split_words(w, command, ' ');
		drop_prefix(w);
	}
	return server_named(span_of("", 0), span_of("", 0));
}

struct server_name server_name(const struct server_command *command)
{
	assert(command);

	struct cursor c = cursor_over(command->arguments.data, command->arguments.size);
	struct span first = cursor_until(&c, '\0');
	enum interpreter interpreter =
		interpreter_of(command->executable.size ? command->executable : path_base(first));
	struct server_name name;
	struct words w;

	if (span_starts(first, "npm ") || span_starts(first, "npx "))
		split_words(&w, first, ' ');
	else
		split_words(&w, command->arguments, '\0');
	name = server_of_words(&w);
	if (name.name.size)
		return name;
	/* A shell's command, or npm's title, was split at blanks before. */
	if (w.count && w.all[0].data != first.data && !interpreter)
		return w.count > 1 && interpreter_of(path_base(w.all[0])) ? named_by_path(w.all[1])
									  : named_by_path(w.all[0]);
	if (span_starts(first, "npm "))
		return server_named(span_of("npm", 3), span_of("npm", 3));
	if (interpreter)
		name = name_interpreted(interpreter, command->arguments, command->package);
	if (!name.name.size && command->executable.size)
		name = named_by_path(command->executable);
	return name.name.size ? name : named_by_path(first);
}

static bool is_whole_part_of_name(struct span from, size_t at, size_t size)
{
	size_t end = at + size;
	bool begins = !at || !((from.data[at - 1] | 32) >= 'a' && (from.data[at - 1] | 32) <= 'z');
	bool ends =
		end == from.size || !((from.data[end] | 32) >= 'a' && (from.data[end] | 32) <= 'z');

	return begins && ends;
}

bool server_name_is_mcp(const struct server_name *name)
{
	assert(name);

	struct span from = name->from;

	if (span_contains(from, "@modelcontextprotocol/"))
		return true;
	for (size_t i = 0; i + 3 <= from.size; i++) {
		if ((from.data[i] | 32) == 'm' && (from.data[i + 1] | 32) == 'c' &&
			(from.data[i + 2] | 32) == 'p' && is_whole_part_of_name(from, i, 3))
			return true;
	}
	return false;
}
