/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules in a text about an agent: "KIND WHAT OPTION=VALUE...". What a rule of a kind needs
 * is a table; see agent_text_parts.h.
 */
#include "agents/agent_text_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define COMM_MAX     15 /* the kernel keeps no more of a process's name */
#define PAUSES_LEAST 8	/* shorter ones stand in programs by chance */
#define BEGINS_MAX   62 /* that program_marks.c compares */

enum rule_option { OPTION_ROLE, OPTION_CALLED, OPTION_BEGINS, OPTION_VERSION, RULE_OPTIONS };

static const char *const option_names[RULE_OPTIONS] = { "role", "called", "begins",
	"version-behind" };

struct rule_form {
	const char *usage;
	enum agent_value value;
	const char *phrase; /* goes into the words that say why */
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

/* Of the others it depends on who started the process. */
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

static int take_option(struct agent_parser *p, struct agent_rule *rule, const char *word)
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

/* Whether it would hold of what is no agent. */
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

static int check(struct agent_parser *p, struct agent_rule *rule)
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

/* In words, with the line that says so. */
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

int agent_text_rule(struct agent_parser *p, enum agent_rule_kind kind)
{
	struct agent *agent = &p->t->agent;
	size_t count = agent_rule_count(agent), words = kind == AGENT_RULE_PROGRAM ? 3 : 2;
	struct agent_rule rule = { .kind = kind, .what = p->words[1] };
	int status = 0;

	if (count == AGENT_RULES_MAX - 1) /* the last has no words */
		return agent_text_wrong(p, "remove rules that others cover",
			"an agent has at most %d rules", AGENT_RULES_MAX - 1);
	for (size_t i = words; i < p->word_count && !status; i++)
		status = take_option(p, &rule, p->words[i]);
	if (!status)
		status = check(p, &rule);
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
