/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting programs on an alert: without a shell, and without waiting for them. */
#include "cli/watch/alert_programs.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/closed_at_exec.h"
#include "base/escape.h"
#include "cli/rights/invoker.h"
#include "cli/watch/alert_line.h"
#include "model/field.h"

#define JSON_MAX    32768 /* fits into a pipe at once, without waiting for the reader */
#define NOT_RUN	    127	  /* exit status of a shell, and here */
#define NOTIFY	    "notify-send"
#define SUMMARY_MAX 160

static void report_problem(struct alerts *a, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "%s %s", a->options.command, what);
	alert_line(a, text);
}

/* Reports once that no desktop shows the notice: it may come later, so notices are tried again. */
static void report_no_notice(struct alerts *a, int status)
{
	char text[128];

	a->has_no_desktop |= status == NOT_RUN;
	if (a->said_no_notice)
		return;
	a->said_no_notice = true;
	if (status == NOT_RUN)
		snprintf(text, sizeof(text), "no desktop notices: " NOTIFY " is not installed");
	else
		snprintf(text, sizeof(text),
			"no desktop notice: " NOTIFY " found no desktop (exit status %d)", status);
	alert_line(a, text);
}

static void reap_one(struct alerts *a, struct alert_program *p)
{
	int status = 0;

	if (!p->pid || !waitpid(p->pid, &status, WNOHANG))
		return;
	p->pid = 0;
	if (!WIFEXITED(status) || !WEXITSTATUS(status))
		return;
	if (p->is_notice)
		report_no_notice(a, WEXITSTATUS(status));
	else if (WEXITSTATUS(status) == NOT_RUN)
		report_problem(a, "the alert program could not be run");
}

void alert_reap(struct alerts *a)
{
	for (size_t i = 0; i < ALERT_PROGRAMS_MAX; i++)
		reap_one(a, &a->programs[i]);
}

/* Returns a free place for a program; NULL: too many run. */
static struct alert_program *find_place(struct alerts *a)
{
	alert_reap(a);
	for (size_t i = 0; i < ALERT_PROGRAMS_MAX; i++) {
		if (!a->programs[i].pid)
			return &a->programs[i];
	}
	return NULL;
}

/* Runs the program of an alert, without output if a screen is shown: the output would stand in its
 * middle. */
static void run_child(const char *const *words, int in, bool is_on_screen, bool is_users)
{
	int none = is_on_screen ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;

	dup2(in, STDIN_FILENO);
	if (none >= 0) {
		dup2(none, STDOUT_FILENO);
		dup2(none, STDERR_FILENO);
	}
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	/* Libraries have opened some that an exec does not close. */
	invoker_close_descriptors();
	/* Without a terminal: a program of the user cannot type there what sooth reads as root. */
	if (!is_users || (setsid() > 0 && invoker_become()))
		execvp(words[0], (char *const *)(uintptr_t)words);
	_exit(NOT_RUN);
}

/* Runs the words of the option: without a shell, and without any text of a target. */
void alert_run(struct alerts *a, const struct buffer *json)
{
	const char *words[] = { a->options.command, NULL };
	struct alert_program *place = find_place(a);
	pid_t child;
	int ends[2];

	if (!place) {
		report_problem(
			a, "the alert program was not run: the previous runs have not exited");
		return;
	}
	if (closed_at_exec_pipe(ends)) {
		report_problem(a, "the alert program could not be run: no pipe");
		return;
	}
	child = fork();
	if (!child)
		run_child(words, ends[0], a->say, a->options.is_users);
	*place = (struct alert_program){ .pid = child > 0 ? child : 0 };
	if (child < 0)
		report_problem(a, "the alert program could not be run: fork failed");
	if (child > 0 && !buffer_failed(json) && json->size < JSON_MAX &&
		write(ends[1], json->data, json->size) < 0)
		report_problem(a, "the alert program does not read its input");
	close(ends[0]);
	close(ends[1]);
}

/* --- a notice --- */

/* Writes a short subject of an alert: "claude checkout-service", else the name of the process. */
static void summarize_alert(char out[SUMMARY_MAX], const struct alert_event *e)
{
	static const char *const fields[] = { "agent", "project" };
	struct buffer text = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		struct sooth_value v = value_named(e->schema, e->row, fields[i]);

		if (v.state != SOOTH_STATE_VALUE || v.type != SOOTH_FIELD_TEXT || !v.text.size)
			continue;
		buffer_string(&text, text.size ? " " : "");
		escape_terminal(&text, v.text.data, v.text.size);
	}
	if (!text.size)
		escape_terminal(&text, e->name, strlen(e->name));
	snprintf(out, SUMMARY_MAX, "sooth%s%s", text.size ? ": " : "", buffer_cstr(&text));
	buffer_fini(&text);
}

/* Escapes markup, which a desktop may read in a text. */
static void escape_markup(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			buffer_string(out, "&amp;");
		else if (*text == '<')
			buffer_string(out, "&lt;");
		else if (*text == '>')
			buffer_string(out, "&gt;");
		else
			buffer_char(out, *text);
	}
}

void alert_notice(struct alerts *a, const struct alert_event *e, const char *sentence)
{
	struct alert_program *place = a->has_no_desktop ? NULL : find_place(a);
	char summary[SUMMARY_MAX];
	struct buffer body = { 0 };
	const char *words[] = { NOTIFY, "--app-name=sooth", "--", summary, NULL, NULL };
	pid_t child;
	int none;

	/* A program that hangs is not waited for, and the alert itself is reported. */
	if (!place)
		return;
	summarize_alert(summary, e);
	escape_markup(&body, sentence);
	words[4] = buffer_cstr(&body);
	none = open("/dev/null", O_RDWR | O_CLOEXEC);
	child = none >= 0 ? fork() : -1;
	if (!child)
		run_child(words, none, true, true); /* the desktop is the user's */
	*place = (struct alert_program){ .pid = child > 0 ? child : 0, .is_notice = true };
	if (none >= 0)
		close(none);
	buffer_fini(&body);
}
