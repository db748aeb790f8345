/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys in a text about an agent: each has a row by which its value is checked and stored. Also
 * its rules. */
#include "recognize/agent_text_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/nearest.h"

#define COMM_MAX     15 /* the kernel keeps at most these bytes of a process's name */
#define PAUSES_LEAST 8	/* shorter texts occur in programs by chance */
#define BEGINS_MAX   62 /* length that programs.c compares */

/* --- rules: "KIND WHAT OPTION=VALUE..." --- */

enum rule_option { OPTION_ROLE, OPTION_CALLED, OPTION_BEGINS, OPTION_VERSION, RULE_OPTIONS };

static const char *const option_names[RULE_OPTIONS] = { "role", "called", "begins",
	"version-behind" };

struct rule_form {
	const char *usage;
	enum agent_value value;
	const char *phrase; /* part of the reason */
	unsigned options;   /* bits by enum rule_option */
};

#define CAN(option) (1u << (option))

static const struct rule_form forms[AGENT_RULE_KINDS] = {
	[AGENT_RULE_BELOW] = { "below FOLDERS [called=NAME] [role=ROLE]", AGENT_VALUE_FOLDERS,
		"the executable is below ", CAN(OPTION_ROLE) | CAN(OPTION_CALLED) },
	[AGENT_RULE_PACKAGE] = { "package NAME [role=ROLE]", AGENT_VALUE_PACKAGE,
		"JavaScript runs a script of the package ", CAN(OPTION_ROLE) },
	[AGENT_RULE_MODULE] = { "module NAME [role=ROLE]", AGENT_VALUE_MODULE,
		"Python runs the module ", CAN(OPTION_ROLE) },
	[AGENT_RULE_PROGRAM] = { "program SECTION TEXT [begins=TEXT] [called=NAME] "
				 "[version-behind=TEXT] [role=ROLE]",
		AGENT_VALUE_SECTION, "the executable contains ",
		CAN(OPTION_ROLE) | CAN(OPTION_CALLED) | CAN(OPTION_BEGINS) | CAN(OPTION_VERSION) },
	[AGENT_RULE_NAME] = { "name-is NAME [role=ROLE]", AGENT_VALUE_FILE,
		"the executable is called ", CAN(OPTION_ROLE) },
	[AGENT_RULE_SOMEWHERE] = { "somewhere FOLDERS [called=NAME] [role=ROLE]",
		AGENT_VALUE_FOLDERS, "the executable is somewhere below ",
		CAN(OPTION_ROLE) | CAN(OPTION_CALLED) },
	[AGENT_RULE_TITLE] = { "title-is TEXT [role=ROLE]", AGENT_VALUE_ANY,
		"JavaScript overwrote its arguments with ", CAN(OPTION_ROLE) },
	[AGENT_RULE_COMMAND] = { "command NAME [role=ROLE]", AGENT_VALUE_FILE,
		"the command and the process are both called ", CAN(OPTION_ROLE) },
};

/* --- options --- */

/* Takes a role. Roles that are missing here depend on the process that started this one. */
static int take_role(struct agent_parser *p, struct agent_rule *rule, const char *value)
{
	static const enum agent_role roles[] = { AGENT_ROLE_MAIN, AGENT_ROLE_LAUNCHER,
		AGENT_ROLE_HELPER, AGENT_ROLE_DAEMON };

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		if (!strcmp(value, agent_role_name(roles[i]))) {
			rule->role = roles[i];
			return 0;
		}
	}
	return agent_text_wrong(p, "write role=main, launcher, helper or daemon",
		"a rule cannot give the role \"%s\"", value);
}

static int take_called(struct agent_parser *p, struct agent_rule *rule, const char *value)
{
	const char *wrong = agent_value_wrong(AGENT_VALUE_FILE, value);

	rule->called = value;
	return wrong ? agent_text_wrong(p, "write called=NAME", "called=%s: %s", value, wrong) : 0;
}

static int take_begins(struct agent_parser *p, struct agent_rule *rule, const char *value)
{
	rule->program.begins = value;
	if (value[0] && strlen(value) <= BEGINS_MAX)
		return 0;
	return agent_text_wrong(p, "give the whole content of the section, up to its first NUL",
		"begins= takes 1 to %d bytes", BEGINS_MAX);
}

static int take_rule_option(struct agent_parser *p, struct agent_rule *rule, const char *word)
{
	const char *equals = strchr(word, '='), *value = equals ? equals + 1 : "";
	const struct rule_form *form = &forms[rule->kind];
	size_t size = equals ? (size_t)(equals - word) : strlen(word);
	unsigned option = 0;

	while (option < RULE_OPTIONS && !span_equal(span_of(word, size), option_names[option]))
		option++;
	if (!equals || option == RULE_OPTIONS || !(form->options & CAN(option)))
		return agent_text_wrong(p, "put a value with blanks in \"\"",
			"%s takes no \"%s\": it is %s", p->words[0], word, form->usage);
	switch ((enum rule_option)option) {
	case OPTION_ROLE:
		return take_role(p, rule, value);
	case OPTION_CALLED:
		return take_called(p, rule, value);
	case OPTION_BEGINS:
		return take_begins(p, rule, value);
	case OPTION_VERSION:
		rule->program.version_behind = value;
		break;
	case RULE_OPTIONS:
		break;
	}
	return 0;
}

/* --- what it says --- */

static int check_program(struct agent_parser *p, struct agent_rule *rule)
{
	rule->program.section = rule->what;
	rule->program.holds = p->word_count > 2 ? p->words[2] : NULL;
	rule->what = NULL;
	if (!rule->program.holds || strlen(rule->program.holds) < PAUSES_LEAST)
		return agent_text_wrong(p,
			"find a text with strings(1), and write it as: program .rodata TEXT",
			"the text needs %d bytes or more and must be unique to this program",
			PAUSES_LEAST);
	p->t->program_rules++;
	return 0;
}

/* Checks that the rule would not match programs that are no agents. */
static int check_generic(struct agent_parser *p, const struct agent_rule *rule)
{
	static const char remedy[] =
		"add called=NAME, or a more exact rule: its install folder or package";

	switch (rule->kind) {
	case AGENT_RULE_BELOW:
	case AGENT_RULE_SOMEWHERE:
		if (!agent_value_is_generic_folder(rule->what) ||
			(rule->called && !agent_value_is_generic(rule->called)))
			return 0;
		return agent_text_wrong(p, remedy, "other programs are below %s too", rule->what);
	case AGENT_RULE_NAME:
	case AGENT_RULE_TITLE:
	case AGENT_RULE_COMMAND:
		if (!agent_value_is_generic(rule->what))
			return 0;
		return agent_text_wrong(p,
			"describe the program by `below`, `package` or `module` instead",
			"other programs are called %s too", rule->what);
	default:
		return 0;
	}
}

static int check_rule(struct agent_parser *p, struct agent_rule *rule)
{
	const struct rule_form *form = &forms[rule->kind];
	const char *wrong = agent_value_wrong(form->value, rule->what);

	if (wrong)
		return agent_text_wrong(p, form->usage, "\"%s\": %s", rule->what, wrong);
	if (rule->kind == AGENT_RULE_COMMAND && strlen(rule->what) > COMM_MAX)
		return agent_text_wrong(p, "use name-is, or below",
			"the rule can never match, because a process name has at most %d bytes",
			COMM_MAX);
	if (rule->kind == AGENT_RULE_PROGRAM)
		return check_program(p, rule);
	return check_generic(p, rule);
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool is_same_rule(const struct agent_rule *a, const struct agent_rule *b)
{
	return a->kind == b->kind && is_same(a->what, b->what) && is_same(a->called, b->called) &&
	       is_same(a->program.section, b->program.section) &&
	       is_same(a->program.holds, b->program.holds) &&
	       is_same(a->program.begins, b->program.begins);
}

/* Writes the reason in words, with the line of the rule. */
static void set_why(struct agent_parser *p, struct agent_rule *rule)
{
	char *why = p->t->strings + p->used;
	int size = snprintf(why, AGENT_WHY_SIZE, "%s%s%s%s (%s:%u)", forms[rule->kind].phrase,
		rule->what ? rule->what : rule->program.holds,
		rule->called ? " and is called " : "", rule->called ? rule->called : "", p->t->file,
		p->line);

	p->used += (size_t)(size < AGENT_WHY_SIZE ? size : AGENT_WHY_SIZE - 1) + 1;
	rule->why = why;
}

/* Parses one rule from the words of a line. */
static int agent_text_rule(struct agent_parser *p, enum agent_rule_kind kind)
{
	struct agent *agent = &p->t->agent;
	size_t count = agent_rule_count(agent), words = kind == AGENT_RULE_PROGRAM ? 3 : 2;
	struct agent_rule rule = { .kind = kind, .what = p->words[1] };
	int status = 0;

	if (count == AGENT_RULES_MAX - 1) /* the last rule is empty */
		return agent_text_wrong(p, "remove rules that others cover",
			"an agent has at most %d rules", AGENT_RULES_MAX - 1);
	for (size_t i = words; i < p->word_count && !status; i++)
		status = take_rule_option(p, &rule, p->words[i]);
	if (!status)
		status = check_rule(p, &rule);
	for (size_t i = 0; i < count && !status; i++) {
		if (is_same_rule(&agent->rules[i], &rule))
			status = agent_text_wrong(p, "delete one", "this rule is given twice");
	}
	if (status)
		return status;
	set_why(p, &rule);
	agent->rules[count] = rule;
	return 0;
}

/* --- keys --- */

enum key_type {
	KEY_TEXT, /* one word, a member of struct agent */
	KEY_LINE, /* all words */
	KEY_RULE,
	KEY_MARKER,
	KEY_OPTION,
	KEY_LOG_KIND,
	KEY_YES, /* or no; a member of struct agent_text */
};

struct key {
	const char *name;
	enum key_type type;
	size_t at; /* offset of the member; for a rule, its kind */
	enum agent_value value;
	const char *usage;
};

#define MEMBER(member) offsetof(struct agent, member)

static const struct key keys[] = {
	{ "name", KEY_TEXT, MEMBER(name), AGENT_VALUE_NAME, "name mine" },
	{ "title", KEY_LINE, MEMBER(title), AGENT_VALUE_TITLE, "title My own agent" },
	{ "tried", KEY_LINE, MEMBER(tried), AGENT_VALUE_TITLE, "tried 1.0, 1.1" },
	{ "replace", KEY_YES, offsetof(struct agent_text, replaces), AGENT_VALUE_ANY,
		"replace yes" },
	{ "versions", KEY_TEXT, MEMBER(versions), AGENT_VALUE_FOLDERS,
		"versions opt/mine/versions" },
	{ "distribution", KEY_TEXT, MEMBER(distribution), AGENT_VALUE_DISTRIBUTION,
		"distribution mine_agent" },
	{ "below", KEY_RULE, AGENT_RULE_BELOW, AGENT_VALUE_ANY, NULL },
	{ "package", KEY_RULE, AGENT_RULE_PACKAGE, AGENT_VALUE_ANY, NULL },
	{ "module", KEY_RULE, AGENT_RULE_MODULE, AGENT_VALUE_ANY, NULL },
	{ "program", KEY_RULE, AGENT_RULE_PROGRAM, AGENT_VALUE_ANY, NULL },
	{ "name-is", KEY_RULE, AGENT_RULE_NAME, AGENT_VALUE_ANY, NULL },
	{ "somewhere", KEY_RULE, AGENT_RULE_SOMEWHERE, AGENT_VALUE_ANY, NULL },
	{ "title-is", KEY_RULE, AGENT_RULE_TITLE, AGENT_VALUE_ANY, NULL },
	{ "command", KEY_RULE, AGENT_RULE_COMMAND, AGENT_VALUE_ANY, NULL },
	{ "marker", KEY_MARKER, 0, AGENT_VALUE_ANY, "marker kind|session|pid|tool NAME" },
	{ "home", KEY_TEXT, MEMBER(files.home), AGENT_VALUE_HOME, "home .mine" },
	{ "home-variable", KEY_TEXT, MEMBER(files.home_variable), AGENT_VALUE_VARIABLE,
		"home-variable MINE_HOME" },
	{ "session-file", KEY_TEXT, MEMBER(files.session_file), AGENT_VALUE_SESSION_FILE,
		"session-file sessions/{pid}.json" },
	{ "session-key", KEY_TEXT, MEMBER(files.session_key), AGENT_VALUE_MEMBER,
		"session-key sessionId" },
	{ "status-key", KEY_TEXT, MEMBER(files.status_key), AGENT_VALUE_MEMBER,
		"status-key status" },
	{ "start-key", KEY_TEXT, MEMBER(files.start_key), AGENT_VALUE_MEMBER,
		"start-key procStart" },
	{ "version-key", KEY_TEXT, MEMBER(files.version_key), AGENT_VALUE_MEMBER,
		"version-key version" },
	{ "changed-key", KEY_TEXT, MEMBER(files.changed_key), AGENT_VALUE_MEMBER,
		"changed-key updatedAt" },
	{ "waiting-key", KEY_TEXT, MEMBER(files.waiting_key), AGENT_VALUE_MEMBER,
		"waiting-key waitingFor" },
	{ "open-file", KEY_TEXT, MEMBER(files.open_file), AGENT_VALUE_OPEN_FILE,
		"open-file sessions/{session}.jsonl" },
	{ "log", KEY_TEXT, MEMBER(files.log), AGENT_VALUE_LOG, "log logs/{session}.jsonl" },
	{ "project-file", KEY_TEXT, MEMBER(files.project_file), AGENT_VALUE_FILE,
		"project-file .project_root" },
	{ "log-kind", KEY_LOG_KIND, 0, AGENT_VALUE_ANY, "log-kind claude|codex|gemini" },
	{ "session-option", KEY_OPTION, 0, AGENT_VALUE_OPTION, "session-option --resume" },
	{ "tool-outputs", KEY_TEXT, MEMBER(tool_outputs), AGENT_VALUE_FOLDERS,
		"tool-outputs tasks" },
	{ "output-file", KEY_TEXT, MEMBER(output_file), AGENT_VALUE_OPEN_FILE,
		"output-file {session}/tasks/*.output" },
	{ "other-names", KEY_LINE, MEMBER(other_names), AGENT_VALUE_NAMES, "other-names rg fd" },
	{ "headless", KEY_LINE, MEMBER(headless), AGENT_VALUE_TITLE, "headless -p --print" },
	{ "starts-itself", KEY_YES, offsetof(struct agent_text, agent.starts_itself),
		AGENT_VALUE_ANY, "starts-itself yes" },
};

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	}
	return NULL;
}

static int unknown_key(struct agent_parser *p)
{
	const char *names[ARRAY_SIZE(keys)], *nearest;
	char remedy[128] = "docs/howto-add-agent.md lists the keys";

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		names[i] = keys[i].name;
	nearest = nearest_name(p->words[0], names, ARRAY_SIZE(keys));
	if (nearest)
		snprintf(remedy, sizeof(remedy), "did you mean %s?", nearest);
	return agent_text_wrong(p, remedy, "there is no key \"%s\"", p->words[0]);
}

static int take_text(struct agent_parser *p, const struct key *key, const char *value)
{
	const char **member = (const char **)((char *)&p->t->agent + key->at);
	const char *wrong = agent_value_wrong(key->value, value);

	if (wrong)
		return agent_text_wrong(p, key->usage, "%s \"%s\": %s", key->name, value, wrong);
	if (*member)
		return agent_text_wrong(p, "delete one", "%s is given twice", key->name);
	*member = value;
	return 0;
}

/* Joins the words: a NUL follows each. */
static const char *join_words(struct agent_parser *p)
{
	for (size_t i = 1; i + 1 < p->word_count; i++)
		((char *)p->words[i + 1])[-1] = ' ';
	return p->words[1];
}

static int take_marker(struct agent_parser *p, const struct key *key)
{
	static const char *const kinds[] = { [AGENT_MARKER_KIND] = "kind",
		[AGENT_MARKER_SESSION] = "session",
		[AGENT_MARKER_PID] = "pid",
		[AGENT_MARKER_TOOL] = "tool" };
	struct agent_marker *markers = p->t->agent.markers;
	const char *wrong =
		p->word_count == 3 ? agent_value_wrong(AGENT_VALUE_MARKER, p->words[2]) : "";
	size_t count = 0, kind = 0;

	if (p->word_count != 3)
		return agent_text_wrong(p, key->usage, "a marker takes a kind and a name");
	while (kind < ARRAY_SIZE(kinds) && strcmp(kinds[kind], p->words[1]))
		kind++;
	if (kind == ARRAY_SIZE(kinds))
		return agent_text_wrong(p, key->usage, "unknown marker kind \"%s\"", p->words[1]);
	if (wrong)
		return agent_text_wrong(p, key->usage, "\"%s\": %s", p->words[2], wrong);
	for (; markers[count].name; count++) {
		if (!strcmp(markers[count].name, p->words[2]))
			return agent_text_wrong(
				p, "delete one", "the marker %s is given twice", p->words[2]);
	}
	if (count == AGENT_MARKERS_MAX - 1) /* the last marker has no name */
		return agent_text_wrong(p, "remove duplicates", "an agent has at most %d markers",
			AGENT_MARKERS_MAX - 1);
	markers[count] = (struct agent_marker){ p->words[2], (enum agent_marker_kind)kind };
	return 0;
}

static int take_option(struct agent_parser *p, const struct key *key)
{
	const char **options = p->t->agent.session_options,
		   *wrong = agent_value_wrong(key->value, p->words[1]);
	size_t count = 0;

	if (wrong)
		return agent_text_wrong(p, key->usage, "\"%s\": %s", p->words[1], wrong);
	for (; count < AGENT_OPTIONS_MAX && options[count]; count++) {
		if (!strcmp(options[count], p->words[1]))
			return agent_text_wrong(
				p, "delete one", "the option %s is given twice", p->words[1]);
	}
	if (count == AGENT_OPTIONS_MAX)
		return agent_text_wrong(
			p, "remove one", "an agent has at most %d", AGENT_OPTIONS_MAX);
	options[count] = p->words[1];
	return 0;
}

static int take_log_kind(struct agent_parser *p, const struct key *key)
{
	static const char *const kinds[] = { [AGENT_LOG_CLAUDE] = "claude",
		[AGENT_LOG_CODEX] = "codex",
		[AGENT_LOG_GEMINI] = "gemini",
		[AGENT_LOG_OPENCODE] = "opencode" };

	if (p->t->agent.files.log_kind)
		return agent_text_wrong(p, "delete one", "log-kind was given before");
	for (size_t i = 1; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kinds[i], p->words[1])) {
			p->t->agent.files.log_kind = (enum agent_log)i;
			return 0;
		}
	}
	return agent_text_wrong(p, key->usage, "unknown log kind \"%s\"", p->words[1]);
}

static int take_yes(struct agent_parser *p, const struct key *key)
{
	bool *member = (bool *)((char *)p->t + key->at);
	bool is_yes = !strcmp(p->words[1], "yes");

	if (!is_yes && strcmp(p->words[1], "no"))
		return agent_text_wrong(p, key->usage, "expected yes or no");
	if (*member)
		return agent_text_wrong(p, "delete one", "%s is given twice", key->name);
	*member = is_yes;
	return 0;
}

static int take_key(struct agent_parser *p, const struct key *key)
{
	bool is_one = key->type != KEY_LINE && key->type != KEY_RULE && key->type != KEY_MARKER;

	if (is_one && p->word_count > 2)
		return agent_text_wrong(
			p, key->usage, "%s takes one word, or text in \"\"", key->name);
	switch (key->type) {
	case KEY_TEXT:
		return take_text(p, key, p->words[1]);
	case KEY_LINE:
		return take_text(p, key, join_words(p));
	case KEY_RULE:
		return agent_text_rule(p, (enum agent_rule_kind)key->at);
	case KEY_MARKER:
		return take_marker(p, key);
	case KEY_OPTION:
		return take_option(p, key);
	case KEY_LOG_KIND:
		return take_log_kind(p, key);
	case KEY_YES:
		return take_yes(p, key);
	}
	return 0;
}

int agent_text_key(struct agent_parser *p)
{
	const struct key *key = find_key(p->words[0]);

	if (!key)
		return unknown_key(p);
	if (p->word_count < 2 || !p->words[1][0])
		return agent_text_wrong(p, key->usage ? key->usage : "docs/howto-add-agent.md",
			"%s has no value", key->name);
	return take_key(p, key);
}
