/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints completion of commands, options with their help, choices and targets; any other word is
 * completed as a file. */
#include "cli/command/completion.h"

#include <stdio.h>
#include <string.h>

#include "cli/command/command.h"
#include "cli/command/target.h"

const char *completion_shell(size_t index)
{
	static const char *const shells[] = { "bash", "zsh", "fish", NULL };

	return shells[index];
}

static void print_each_option(
	const struct command *c, void (*print)(const struct command *c, const struct option *o))
{
	for (size_t g = 0; g < c->group_count; g++) {
		for (size_t i = 0; i < c->groups[g].count; i++) {
			if (!command_refuses(c, &c->groups[g].options[i]))
				print(c, &c->groups[g].options[i]);
		}
	}
}

/* The targets that the value of an option names, as `sooth help --targets` calls them, or NULL. */
static const char *targets_of(const struct option *o)
{
	const char *name = o->name ? o->name : "";

	return !strcmp(name, "pid")	  ? "processes"
	       : !strcmp(name, "session") ? "sessions"
	       : !strcmp(name, "agent")	  ? "agents"
					  : NULL;
}

static bool takes_target(const struct command *c)
{
	for (size_t g = 0; g < c->group_count; g++) {
		if (c->groups[g].options == target_option_rows)
			return true;
	}
	return false;
}

/* --- bash --- */

/* A description stands behind a target while there are several; the words that keys insert at once
 * have none. */
static const char bash_targets[] =
	"_sooth_targets()\n{\n\tlocal line\n"
	"\twhile IFS= read -r line; do\n\t\tCOMPREPLY+=(\"$line\")\n"
	"\tdone < <(\"${COMP_WORDS[0]##*/}\" help --targets \"$1\" \"$cur\" 2> /dev/null)\n"
	"\tif [ ${#COMPREPLY[@]} -eq 1 ] || [[ $COMP_TYPE == 37 || $COMP_TYPE == 42 ]]; then\n"
	"\t\tCOMPREPLY=(\"${COMPREPLY[@]%%$'\\t'*}\")\n\telse\n"
	"\t\tCOMPREPLY=(\"${COMPREPLY[@]/$'\\t'/  }\")\n\tfi\n}\n";

static void print_bash_words(const struct command *c, const struct option *o)
{
	(void)c;
	if (o->name)
		printf(" --%s", o->name);
	if (o->letter)
		printf(" -%c", o->letter);
}

static void print_bash_choices(const struct command *c, const struct option *o)
{
	if (o->type != OPTION_CHOICE)
		return;
	printf("\t%s:--%s", c->name, o->name ? o->name : "");
	if (o->letter)
		printf("|%s:-%c", c->name, o->letter);
	printf(") words=\"");
	for (size_t i = 0; o->choice(i); i++)
		printf("%s%s", i ? " " : "", o->choice(i));
	printf("\" ;;\n");
}

static void print_bash(void)
{
	printf("# bash completion of sooth; generated\n%s_sooth()\n{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	       "\tlocal command=${COMP_WORDS[1]} words= i\n\tCOMPREPLY=()\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\t[ \"${COMP_WORDS[i]}\" != -- ] || return 0\n\tdone\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W \"",
		bash_targets);
	for (size_t i = 0; commands[i]; i++)
		printf("%s%s", i ? " " : "", commands[i]->name);
	printf(" --version\" -- \"$cur\"))\n\t\treturn 0\n\tfi\n"
	       "\tcase $command:$prev in\n");
	for (size_t i = 0; commands[i]; i++)
		print_each_option(commands[i], print_bash_choices);
	printf("\thelp:help) words=\"");
	for (size_t i = 0; commands[i]; i++)
		printf("%s%s", i ? " " : "", commands[i]->name);
	printf("\" ;;\n\tesac\n\tif [ -n \"$words\" ]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n\t\treturn 0\n\tfi\n"
	       "\tcase $command:$prev in\n"
	       "\t*:-p | *:--pid) _sooth_targets processes; return 0 ;;\n"
	       "\t*:--session) _sooth_targets sessions; return 0 ;;\n"
	       "\t*:--agent) _sooth_targets agents; return 0 ;;\n\tesac\n"
	       "\tif [[ $cur != -* ]]; then\n\t\tcase $command in\n\t\t_");
	for (size_t i = 0; commands[i]; i++) {
		if (takes_target(commands[i]))
			printf(" | %s", commands[i]->name);
	}
	printf(")\n\t\t\t_sooth_targets processes\n"
	       "\t\t\twhile IFS= read -r i; do\n\t\t\t\tprintf -v i %%q \"$i\"\n"
	       "\t\t\t\tCOMPREPLY+=(\"$i\")\n"
	       "\t\t\tdone < <(compgen -f -X '!*.sooth' -- \"$cur\") ;;\n\t\tesac\n"
	       "\t\treturn 0\n\tfi\n\tcase $command in\n");
	for (size_t i = 0; commands[i]; i++) {
		printf("\t%s) words=\"--help --help-all", commands[i]->name);
		print_each_option(commands[i], print_bash_words);
		printf("\" ;;\n");
	}
	printf("\tesac\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
	       "complete -o bashdefault -o default -F _sooth sooth\n");
}

/* --- zsh --- */

/* Prints a word in single quotes, in which brackets, colons and backslashes are special. */
static void print_zsh_text(const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:\\", *text))
			putchar('\\');
		if (*text == '\'')
			printf("'\\''");
		else
			putchar(*text);
	}
}

static void print_zsh_value(const struct option *o)
{
	if (o->type == OPTION_FLAG)
		return;
	printf(":");
	print_zsh_text(o->argument ? o->argument : "value");
	printf(":");
	if (o->type == OPTION_FILE)
		printf("_files");
	if (targets_of(o))
		printf(" _sooth_targets %s", targets_of(o)); /* a blank: no options of compadd */
	if (o->type != OPTION_CHOICE)
		return;
	printf("(");
	for (size_t i = 0; o->choice(i); i++)
		printf("%s%s", i ? " " : "", o->choice(i));
	printf(")");
}

static const char zsh_targets[] =
	"_sooth_targets()\n{\n\tlocal -a found\n\tlocal line\n"
	"\tfor line in ${(f)\"$($sooth help --targets $1 \"$PREFIX\" 2> /dev/null)\"}; do\n"
	"\t\tfound+=(\"${line%%$'\\t'*}:${${line#*$'\\t'}//:/\\:}\")\n\tdone\n"
	"\t_describe -V target found\n"
	"\t[[ $1 != processes ]] || _files -g '*.sooth'\n}\n";

static void print_zsh_spec(
	const char *dashes, const char *name, size_t size, const struct option *o)
{
	printf("\t\t'%s%.*s[", dashes, (int)size, name);
	print_zsh_text(o->help);
	printf("]");
	print_zsh_value(o);
	printf("' \\\n");
}

static void print_zsh_option(const struct command *c, const struct option *o)
{
	(void)c;
	if (o->name)
		print_zsh_spec("--", o->name, strlen(o->name), o);
	if (o->letter)
		print_zsh_spec("-", &o->letter, 1, o);
}

static void print_zsh(void)
{
	printf("#compdef sooth\n# generated\n%s_sooth()\n{\n\tlocal sooth=${words[1]:t}\n"
	       "\tlocal -a commands\n\tcommands=(\n",
		zsh_targets);
	for (size_t i = 0; commands[i]; i++) {
		printf("\t\t'%s:", commands[i]->name);
		print_zsh_text(commands[i]->summary);
		printf("'\n");
	}
	printf("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe command commands\n\t\treturn\n"
	       "\tfi\n\tlocal command=$words[2]\n\tshift words\n\t((CURRENT--))\n\tcase $command "
	       "in\n");
	for (size_t i = 0; commands[i]; i++) {
		printf("\t%s)\n\t\t_arguments \\\n", commands[i]->name);
		print_each_option(commands[i], print_zsh_option);
		printf("\t\t'*:%s'\n\t\t;;\n", takes_target(commands[i])
						       ? "target: _sooth_targets processes"
						       : "file:_files");
	}
	printf("\tesac\n}\nif [ \"$funcstack[1]\" = _sooth ]; then\n\t_sooth \"$@\"\nelse\n"
	       "\tcompdef _sooth sooth\nfi\n");
}

/* --- fish --- */

static void print_fish_text(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('\'');
}

static void print_fish_option(const struct command *c, const struct option *o)
{
	printf("complete -c sooth -n '__fish_seen_subcommand_from %s'", c->name);
	if (o->letter)
		printf(" -s %c", o->letter);
	if (o->name)
		printf(" -l %s", o->name);
	if (o->type == OPTION_CHOICE) {
		printf(" -x -a '");
		for (size_t i = 0; o->choice(i); i++)
			printf("%s%s", i ? " " : "", o->choice(i));
		printf("'");
	} else if (targets_of(o)) {
		printf(" -x -a '(sooth help --targets %s (commandline -ct))'", targets_of(o));
	} else if (o->type != OPTION_FLAG && !o->default_value) {
		printf(" -r");
	}
	printf(" -d ");
	print_fish_text(o->help);
	printf("\n");
}

static void print_fish(void)
{
	printf("# fish completion of sooth; generated\n");
	for (size_t i = 0; commands[i]; i++) {
		printf("complete -c sooth -n __fish_use_subcommand -f -a %s -d ",
			commands[i]->name);
		print_fish_text(commands[i]->summary);
		printf("\n");
	}
	for (size_t i = 0; commands[i]; i++) {
		print_each_option(commands[i], print_fish_option);
		if (takes_target(commands[i]))
			printf("complete -c sooth -n '__fish_seen_subcommand_from %s' -a "
			       "'(sooth help --targets processes (commandline -ct))'\n",
				commands[i]->name);
	}
}

int completion_print(const char *shell)
{
	if (!strcmp(shell, "zsh"))
		print_zsh();
	else if (!strcmp(shell, "fish"))
		print_fish();
	else
		print_bash();
	return 0;
}
