/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine that tries the agents' rules; see agent.h. */
#include "recognize/agent.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "recognize/agent_path.h"
#include "recognize/agent_set.h"
#include "recognize/script.h"

/* The evidence that the rules look at, split into its parts once per process. */
struct seen {
	const struct agent_evidence *e;
	struct span executable; /* if unreadable: as the process reports it */
	enum interpreter interpreter;
	struct script script;
	struct span package; /* npm package of the script, or of the executable */
	struct span entry;   /* the file in the package */
	struct span command; /* the name by which the process was started */
};

#define NAME_MOST 15 /* the kernel keeps at most these bytes of a process's name */

/* Returns the executable as the process states it. For a process of another user the kernel hides
 * the executable, but shows the arguments and the name. The first argument is the command if the
 * name agrees with it: the name of a script is its own, but its first argument is its interpreter.
 * Only a path with folders counts: a title replaces both the same way. */
static struct span stated_executable(const struct agent_evidence *e, struct span first)
{
	struct span file = path_base(first);

	if (file.size > NAME_MOST)
		file.size = NAME_MOST;
	return file.size && !span_compare(file, e->name) ? first : span_of("", 0);
}

static void read_evidence(struct seen *s, const struct agent_evidence *e)
{
	struct cursor c = cursor_over(e->arguments.data, e->arguments.size);
	struct span path = e->executable, first = cursor_until(&c, '\0'), rest;

	*s = (struct seen){ .e = e,
		.executable = e->executable,
		.interpreter = interpreter_of(e->executable),
		.command = path_base(first) };
	if (!e->executable.size) {
		s->executable = stated_executable(e, first);
		s->interpreter = interpreter_of(s->command);
	}
	s->script = script_of(s->interpreter, e->arguments);
	if (s->interpreter)
		path = s->script.path;
	s->package = path_package(path, &rest);
	if (e->package.size)
		s->package = e->package;
	s->entry = path_base(path);
}

static bool has_mark(struct span marks, const struct agent_program *p)
{
	struct cursor c = cursor_over(marks.data, marks.size);

	while (!cursor_at_end(&c)) {
		struct span word = cursor_until(&c, '\0');
		struct cursor parts = cursor_over(word.data, word.size);

		if (span_equal(cursor_until(&parts, ' '), p->section) &&
			span_equal(span_of((const char *)parts.at, cursor_left(&parts)), p->holds))
			return true;
	}
	return false;
}

static bool is_called(const struct agent_rule *rule, struct span file)
{
	const struct agent_path none = { 0 };

	return !rule->called || agent_path_match(span_of_string(rule->called), file, &none, NULL);
}

static bool is_below(const struct agent_rule *rule, const struct seen *s)
{
	struct span rest = path_below(s->executable, rule->what);

	return rest.size && is_called(rule, path_base(rest));
}

/* Returns whether the script is of the agent's package. A script that npm runs when it installs the
 * package is not the agent. */
static bool is_of_package(const struct agent_rule *rule, const struct seen *s)
{
	static const char *const others[] = { "install.", "postinstall.", "preinstall." };

	if (s->interpreter != INTERPRETER_JAVASCRIPT || !s->script.path.size ||
		!span_equal(s->package, rule->what) || !is_called(rule, s->entry))
		return false;
	return !SPAN_ANY(s->entry, span_starts, others);
}

/* Returns whether Python runs the module: python -m aider; .../bin/aider, as pip writes it;
 * .../site-packages/aider/... */
static bool is_module(const struct agent_rule *rule, const struct seen *s)
{
	struct span rest = path_below(s->script.path, "site-packages");
	struct cursor c = cursor_over(rest.data, rest.size);

	if (s->interpreter != INTERPRETER_PYTHON)
		return false;
	if (span_equal(s->script.module, rule->what))
		return true;
	if (span_equal(path_below(s->script.path, "bin"), rule->what))
		return true;
	return span_equal(cursor_until(&c, '/'), rule->what) && !cursor_at_end(&c);
}

static bool is_program(const struct agent_rule *rule, const struct seen *s)
{
	return has_mark(s->e->marks, &rule->program) &&
	       is_called(rule, path_base(s->e->executable));
}

/* Returns whether the arguments are only the title and blanks or NULs: the program itself has
 * written them. */
static bool is_title(const struct agent_rule *rule, const struct seen *s)
{
	struct span arguments = s->e->arguments;
	size_t at = strlen(rule->what);

	if (s->interpreter != INTERPRETER_JAVASCRIPT || !span_starts(arguments, rule->what))
		return false;
	while (at < arguments.size && (arguments.data[at] == ' ' || arguments.data[at] == '\0'))
		at++;
	return at == arguments.size;
}

/* Returns whether the command and the process's name agree, for a link, or for another user. The
 * name of a script's process is its interpreter's, so a wrapper does not match. */
static bool is_command(const struct agent_rule *rule, const struct seen *s)
{
	return span_equal(s->command, rule->what) && span_equal(s->e->name, rule->what);
}

static bool rule_holds(const struct agent_rule *rule, const struct seen *s)
{
	switch (rule->kind) {
	case AGENT_RULE_BELOW:
	case AGENT_RULE_SOMEWHERE:
		return is_below(rule, s);
	case AGENT_RULE_PACKAGE:
		return is_of_package(rule, s);
	case AGENT_RULE_MODULE:
		return is_module(rule, s);
	case AGENT_RULE_PROGRAM:
		return is_program(rule, s);
	case AGENT_RULE_NAME:
		return span_equal(path_base(s->e->executable), rule->what);
	case AGENT_RULE_TITLE:
		return is_title(rule, s);
	case AGENT_RULE_COMMAND:
		return is_command(rule, s);
	case AGENT_RULE_KINDS:
		break;
	}
	return false;
}

/* --- versions --- */

/* Returns a version without its platform: "0.169.0-linux-x64", "0.1.0-x86_64-linux-musl". */
static struct span without_target(struct span version)
{
	static const char *const targets[] = { "-x86_64", "-aarch64", "-linux-" };

	for (size_t i = 0; version.size && i < ARRAY_SIZE(targets); i++) {
		const char *at = memmem(version.data, version.size, targets[i], strlen(targets[i]));

		if (at)
			version.size = (size_t)(at - version.data);
	}
	return version;
}

struct span agent_version(struct span text)
{
	text = without_target(text);
	return text.size && text.data[0] >= '0' && text.data[0] <= '9' ? text : span_of("", 0);
}

/* Returns whether the package is the agent's, or one of its parts: @openai/codex-linux-x64. */
static bool is_own_package(const struct agent *agent, struct span package)
{
	for (size_t i = 0; i < agent_rule_count(agent); i++) {
		const struct agent_rule *rule = &agent->rules[i];

		if (rule->kind == AGENT_RULE_PACKAGE && span_starts(package, rule->what))
			return true;
	}
	return false;
}

static struct span version_of(const struct agent *agent, const struct seen *s)
{
	struct span version = span_of("", 0);

	if (agent->versions) {
		struct span rest = path_below(s->e->executable, agent->versions);
		struct cursor c = cursor_over(rest.data, rest.size);

		version = agent_version(cursor_until(&c, '/'));
	}
	if (!version.size && is_own_package(agent, s->package))
		version = agent_version(s->e->package_version);
	/* Marks are the agent's own only if the rule that uses them matches. */
	for (size_t i = 0; !version.size && i < agent_rule_count(agent); i++) {
		if (agent->rules[i].kind == AGENT_RULE_PROGRAM &&
			agent->rules[i].program.version_behind && is_program(&agent->rules[i], s))
			version = agent_version(s->e->mark_version);
	}
	return version;
}

static const struct agent_rule *rule_of_kind(
	const struct agent *agent, unsigned kind, const struct seen *s)
{
	for (size_t i = 0; i < AGENT_RULES_MAX && agent->rules[i].why; i++) {
		if (agent->rules[i].kind == kind && rule_holds(&agent->rules[i], s))
			return &agent->rules[i];
	}
	return NULL;
}

/* Returns the role of a process: one program may be main process, daemon and helper. */
static enum agent_role role_of(
	const struct agent *agent, const struct agent_rule *rule, const struct seen *s)
{
	const struct agent_part *part = agent_path_part(agent, s->e->arguments);

	return rule->role == AGENT_ROLE_MAIN && part ? part->role : rule->role;
}

const struct agent *agent_recognise(const struct agent_set *set,
	const struct agent_evidence *evidence, struct agent_match *match)
{
	struct seen s;

	assert(evidence);
	*match = (struct agent_match){ 0 };
	read_evidence(&s, evidence);
	for (unsigned kind = 0; kind < AGENT_RULE_KINDS; kind++) {
		agent_set_for_each (set, agent) {
			const struct agent_rule *rule = rule_of_kind(agent, kind, &s);

			if (!rule)
				continue;
			*match = (struct agent_match){ rule->why, role_of(agent, rule, &s),
				version_of(agent, &s), kind == AGENT_RULE_TITLE,
				!evidence->executable.size };
			return agent;
		}
	}
	return NULL;
}
