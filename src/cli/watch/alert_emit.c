/* SPDX-License-Identifier: BSD-2-Clause */
/* Reporting an alert: on the screen or standard error, by the bell, to a program. */
#include "cli/watch/alert_emit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/closed_at_exec.h"
#include "base/escape.h"
#include "base/json.h"
#include "base/units.h"
#include "model/field.h"
#include "sinks/json_members.h"

#define JSON_MAX 32768 /* fits into a pipe at once, without waiting for the reader */
#define NOT_RUN	 127   /* exit status of a shell, and here */

/* null: none, or not known. */
static void text_member(struct json *j, const struct alert_event *e, const char *name)
{
	const struct sooth_field *f = e->row ? sooth_schema_field(e->schema, name) : NULL;
	struct sooth_value v = { .state = SOOTH_STATE_ABSENT };

	if (f)
		v = sooth_field_get(f, e->row);
	json_key(j, name);
	if (v.state == SOOTH_STATE_VALUE && v.type == SOOTH_FIELD_TEXT)
		json_string(j, v.text.data, v.text.size);
	else
		json_null(j);
}

static void write_value(struct json *j, const struct alert_event *e, const char *name, double value)
{
	json_key(j, name);
	json_f64(j, value, e->what->decimals);
}

static void write_threshold(struct json *j, const struct alert_event *e)
{
	if (!e->has_ended)
		write_value(j, e, "value", e->value);
	write_value(j, e, "threshold", e->threshold);
	json_key(j, "unit");
	json_cstring(j, e->what->unit);
}

/* A finding as it is in JSON, or the activity of the agent. */
static void write_details(struct json *j, const struct alert_event *e)
{
	const struct sooth_field *f = e->row ? sooth_schema_field(e->schema, "activity") : NULL;
	struct sooth_value v;

	if (e->key.kind == ALERT_FINDING) {
		json_key(j, "finding");
		json_begin_object(j);
		json_members(j, e->schema, e->row);
		json_end(j);
	} else if (f) {
		v = sooth_field_get(f, e->row);
		json_key(j, "activity");
		json_value(j, f, &v);
	}
}

static void write_json(struct buffer *out, const struct alert_event *e)
{
	char time[UNITS_SIZE];
	struct json j;

	format_utc(time, clock_realtime_ns());
	json_init(&j, out, 0);
	json_begin_object(&j);
	json_key(&j, "alert");
	json_cstring(&j, e->alert);
	json_key(&j, "state");
	json_cstring(&j, e->is_raised ? "raised" : "cleared");
	json_key(&j, "time");
	json_cstring(&j, time);
	json_key(&j, "pid");
	json_u64(&j, e->key.pid);
	json_key(&j, "start_ticks");
	json_u64(&j, e->key.start_ticks);
	json_key(&j, "name");
	json_string(&j, e->name, strlen(e->name));
	text_member(&j, e, "agent");
	text_member(&j, e, "project");
	text_member(&j, e, "session_id");
	json_key(&j, "has_ended");
	json_bool(&j, e->has_ended);
	if (e->what)
		write_threshold(&j, e);
	write_details(&j, e);
	json_end(&j);
	buffer_char(out, '\n');
}

/* The words of the option: without a shell, and without any text of a target. */
static void run_command(const char *command, int in)
{
	dup2(in, STDIN_FILENO);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	execlp(command, command, (char *)NULL);
	_exit(NOT_RUN);
}

void alert_line(struct alerts *a, const char *text)
{
	if (a->screen)
		screen_emit(a->screen, text);
	else if (a->say)
		a->say(a->said_to, text);
	else
		fprintf(stderr, "sooth: %s\n", text);
}

static void complain(struct alerts *a, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "%s %s", a->options.command, what);
	alert_line(a, text);
}

void alert_reap(struct alerts *a)
{
	for (size_t i = 0; i < ALERT_COMMANDS_MAX; i++) {
		int status = 0;

		if (!a->commands[i] || !waitpid(a->commands[i], &status, WNOHANG))
			continue;
		a->commands[i] = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_RUN)
			complain(a, "the alert program could not be run");
	}
}

static pid_t *find_place(struct alerts *a)
{
	alert_reap(a);
	for (size_t i = 0; i < ALERT_COMMANDS_MAX; i++) {
		if (!a->commands[i])
			return &a->commands[i];
	}
	complain(a, "the alert program was not run: the previous runs have not exited");
	return NULL;
}

static void start_command(struct alerts *a, const struct alert_event *e)
{
	struct buffer json = { 0 };
	pid_t *free_place = find_place(a), child;
	int ends[2];

	if (!free_place)
		return;
	if (closed_at_exec_pipe(ends)) {
		complain(a, "the alert program could not be run: no pipe");
		return;
	}
	write_json(&json, e);
	child = fork();
	if (!child)
		run_command(a->options.command, ends[0]);
	*free_place = child > 0 ? child : 0;
	if (child < 0)
		complain(a, "the alert program could not be run: fork failed");
	if (child > 0 && !buffer_failed(&json) && json.size < JSON_MAX &&
		write(ends[1], json.data, json.size) < 0)
		complain(a, "the alert program does not read its input");
	close(ends[0]);
	close(ends[1]);
	buffer_fini(&json);
}

void alert_bell(void)
{
	if (isatty(STDERR_FILENO))
		fputc('\a', stderr);
}

static void describe(struct buffer *line, const struct alert_event *e)
{
	char figure[UNITS_SIZE], limit[UNITS_SIZE];

	if (e->key.pid) {
		buffer_format(line, "process %u (", e->key.pid);
		escape_terminal(line, e->name, strlen(e->name));
		buffer_string(line, e->what || e->key.kind == ALERT_END ? ") " : "): ");
	}
	if (!e->what) {
		escape_terminal(line, e->text, strlen(e->text));
		return;
	}
	if (e->has_ended) {
		buffer_format(line, "exited while its %s was above the threshold", e->alert);
		return;
	}
	if (e->key.kind == ALERT_CPU)
		buffer_format(line, "uses %.1f %% CPU, threshold %.1f %%", e->value, e->threshold);
	else
		buffer_format(line, "has %s resident, threshold %s",
			format_bytes(figure, (uint64_t)e->value),
			format_bytes(limit, (uint64_t)e->threshold));
	if (!e->is_raised)
		buffer_string(line, ": back below the threshold");
}

/* Nothing need be wrong. */
static bool is_news(const struct alert_event *e)
{
	return e->key.kind == ALERT_ACTIVITY || e->key.kind == ALERT_END;
}

void alert_emit(struct alerts *a, const struct alert_event *e)
{
	struct buffer line = { 0 };

	describe(&line, e);
	if (a->is_silent)
		buffer_reset(&line);
	else if (a->screen)
		screen_emit(a->screen, buffer_cstr(&line));
	else if (a->say)
		a->say(a->said_to, buffer_cstr(&line));
	else
		fprintf(stderr, "sooth: %s: %s\n",
			!e->is_raised ? "cleared"
			: is_news(e)  ? "alert"
				      : "warning",
			buffer_cstr(&line));
	if (a->options.has_bell && e->is_raised)
		alert_bell();
	if (a->options.command)
		start_command(a, e);
	buffer_fini(&line);
}
