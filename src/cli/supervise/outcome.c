/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/supervise/outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/sentence_units.h"
#include "cli/output/own_report.h"
#include "model/row_list.h"
#include "probes/signal_names.h"

#define LEFT_SHOWN 5

/* --- who ended it --- */

/* Appends what ended the command, by the records of its end or else by its status alone. */
static void put_claim(struct buffer *out, const struct outcome *o)
{
	struct ending bare = { .id = o->id,
		.end.status = (uint32_t)o->wait_status,
		.end.limits_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION),
		.end.oom_state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) };
	const struct ending *of = endings_get(&o->endings, &o->id);
	struct ending_cause cause;

	if (ending_find_cause(&o->endings, of ? of : &bare, o->start_ns, &cause))
		ending_find_cause(&o->endings, &bare, o->start_ns, &cause);
	ending_claim(out, &cause);
}

/* Returns whether the signal that ended the command is one that sooth passed on. */
static bool is_by_passed_signal(const struct outcome *o)
{
	return o->passed_signal && WIFSIGNALED(o->wait_status) &&
	       WTERMSIG(o->wait_status) == o->passed_signal;
}

static void put_limit(struct buffer *out, const struct outcome *o)
{
	buffer_format(out, "did not end within %s; sooth sent SIGTERM%s to what it had started",
		SENTENCE_DURATION(o->limit_ns), o->was_killed ? ", then SIGKILL," : "");
	if (o->end_ns > o->ending_ns)
		buffer_format(out, ", and it ended after %s",
			SENTENCE_DURATION(o->end_ns - o->ending_ns));
}

static void put_end(struct buffer *out, const struct outcome *o)
{
	char name[SIGNAL_NAME_SIZE];

	buffer_format(out, "%s (pid %u): ", o->name, o->id.pid);
	if (o->limit_ns) {
		put_limit(out, o);
		return;
	}
	if (is_by_passed_signal(o)) {
		signal_name(name, (unsigned)o->passed_signal);
		buffer_format(out, "ended by %s, which %s (pid %d) sent to sooth", name,
			o->passed_name[0] ? o->passed_name : "a process", (int)o->passed_sender);
	} else {
		put_claim(out, o);
	}
	buffer_format(out, ", after %s", SENTENCE_DURATION(o->end_ns - o->start_ns));
}

/* Returns whether a child's end can explain the failure: a signal that the command and its
 * children did not send themselves. */
static bool is_telling(const struct outcome *o, const struct exit_reasons_child *c)
{
	bool is_crash = exit_reason_is_fault(END_SIGNAL(c->status)) ||
			END_SIGNAL(c->status) == SIGNAL_ABORT;

	if (!END_SIGNAL(c->status) || END_SIGNAL(c->status) == SIGNAL_PIPE || o->limit_ns)
		return false;
	return c->is_oom_victim || is_crash || c->is_from_kernel ||
	       (!c->sender_state && c->sender_pid != c->child_pid &&
		       c->sender_pid != c->parent_pid && c->sender_pid != o->id.pid);
}

static void put_child(struct buffer *out, const struct outcome *o)
{
	const struct exit_reasons_child *last = NULL;
	struct buffer status = { 0 };

	map_for_each_value (&o->endings.children, const struct exit_reasons_child *, c) {
		if (is_telling(o, c) && (!last || c->record.time_ns > last->record.time_ns))
			last = c;
	}
	if (!last)
		return;
	exit_reason_text_status(&status, last->status);
	buffer_format(out, "; before that, its child %.*s (pid %u) was ended by %s",
		END_NAME(last->name), last->child_pid, buffer_cstr(&status));
	if (last->is_oom_victim)
		buffer_string(out, ": out of memory");
	else if (!last->is_from_kernel && !last->sender_state &&
		 last->sender_pid != last->child_pid)
		buffer_format(
			out, " from %.*s (pid %u)", END_NAME(last->sender_name), last->sender_pid);
	buffer_fini(&status);
}

/* --- the rest --- */

static void put_waited(struct buffer *out, const struct outcome *o)
{
	const struct buffer *text = &o->waited.text;
	uint64_t before_ns =
		increase_u64(o->ending_ns ? o->ending_ns : o->end_ns, o->waited.time_ns);

	if (!text->size)
		return;
	if (before_ns > NS_PER_S)
		buffer_format(out, ". %s before its end: ", SENTENCE_DURATION(before_ns));
	else
		buffer_string(out, ". Just before: ");
	buffer_append(out, text->data, text->size);
}

static void put_error(struct buffer *out, const struct outcome *o)
{
	if (o->error[0])
		buffer_format(out, ". Last error: %s", o->error);
}

static void put_left(struct buffer *out, const struct outcome *o)
{
	size_t count = tree_count(&o->left), shown = count < LEFT_SHOWN ? count : LEFT_SHOWN;

	for (size_t i = 0; i < shown; i++) {
		const struct process_glance *g = &tree_at(&o->left, i)->last;

		buffer_format(out, "%s%s (pid %u, %s old)", i ? ", " : ". Still running: ", g->name,
			g->id.pid, SENTENCE_DURATION(g->age_ns));
	}
	if (count > shown)
		buffer_format(out, " and %zu more", count - shown);
	if (!count)
		return;
	buffer_string(out, "; to end: sooth kill --any");
	for (size_t i = 0; i < shown; i++)
		buffer_format(out, " %u", tree_at(&o->left, i)->last.id.pid);
}

/* Returns whether a process sent the fatal signal, which only root can record. */
static bool is_sender_unseen(const struct outcome *o)
{
	const struct ending *of = endings_get(&o->endings, &o->id);

	return WIFSIGNALED(o->wait_status) && !o->limit_ns && !is_by_passed_signal(o) &&
	       (!of || of->end.signals_state);
}

static void put_unseen(struct buffer *out, const struct outcome *o)
{
	if (is_sender_unseen(o))
		buffer_string(out, ". Not measured: which process sent the signal (only root can "
				   "record that)");
	if (o->error_unseen)
		buffer_format(out, "%s its last error (%s)",
			is_sender_unseen(o) ? ";" : ". Not measured:", o->error_unseen);
}

void outcome_text(struct buffer *out, const struct outcome *o)
{
	put_end(out, o);
	put_child(out, o);
	put_waited(out, o);
	put_error(out, o);
	put_left(out, o);
	put_unseen(out, o);
}

/* --- printing --- */

/* Appends text as a value of a workflow command: its parser decodes %XX. In the title ":" and ","
 * would end it. */
static void put_workflow_value(struct buffer *out, const char *text, bool is_property)
{
	for (; *text; text++) {
		if (*text == '%' || *text == '\r' || *text == '\n' ||
			(is_property && (*text == ':' || *text == ',')))
			buffer_format(out, "%%%02X", (unsigned)*text);
		else
			buffer_char(out, *text);
	}
}

/* An older form of workflow commands may stand anywhere in a line: "##[error]". */
static void break_old_commands(struct buffer *line)
{
	for (size_t i = 0; i + 2 < line->size; i++) {
		if (!memcmp(line->data + i, "##[", 3))
			line->data[i + 1] = '.';
	}
}

void outcome_print(const struct outcome *o, const struct buffer *text)
{
	const char *actions = getenv("GITHUB_ACTIONS");
	struct buffer line = { 0 }, title = { 0 }, all = { 0 };

	escape_terminal(&line, (const char *)text->data, text->size);
	break_old_commands(&line);
	buffer_format(&all, "sooth: %s\n", buffer_cstr(&line));
	if (actions && !strcmp(actions, "true")) {
		escape_terminal(&title, o->name, strlen(o->name));
		break_old_commands(&title);
		buffer_string(&all, "::error title=sooth run%3A ");
		put_workflow_value(&all, buffer_cstr(&title), true);
		buffer_string(&all, "::");
		put_workflow_value(&all, buffer_cstr(&line), false);
		buffer_char(&all, '\n');
	}
	/* One write: lines of processes that still run do not come in between. */
	if (write(STDERR_FILENO, buffer_cstr(&all), all.size) < 0)
		clearerr(stderr);
	buffer_fini(&all);
	buffer_fini(&title);
	buffer_fini(&line);
}

/* --- JSON --- */

#define LEFT_ROW(F, S)                                                                             \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "name of the process (comm)")                                     \
	F(S, REAL, age_s, ALWAYS, "age of the process", .unit = SOOTH_UNIT_S, .decimals = 1)       \
	F(S, BOOL, is_by_group, ALWAYS,                                                            \
		"known only by its process group, start time and ended parent, not as a "          \
		"descendant")

ROW_TABLE(left, LEFT_ROW, "run.left", left_row);

#define OUTCOME_ROW(F, S)                                                                          \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "the command, without its arguments")                             \
	F(S, U32, exit_status, ALWAYS,                                                             \
		"exit status of sooth: that of the command, 128+N after "                          \
		"signal N, 124 after the time limit")                                              \
	F(S, TEXT, signal, MAYBE(signal_state), "signal that ended the command: SIGKILL")          \
	F(S, BOOL, is_timed_out, ALWAYS, "the command did not end within the time limit")          \
	F(S, REAL, duration_s, ALWAYS, "time from its start to its end", .unit = SOOTH_UNIT_S,     \
		.decimals = 3)                                                                     \
	F(S, TEXT, ended_by, ALWAYS, "what ended the command")                                     \
	F(S, TEXT, waited_for, MAYBE(waited_state), "what it waited for, before its end")          \
	F(S, REAL, waited_before_s, WITH(waited_state), "time between that and its end",           \
		.unit = SOOTH_UNIT_S, .decimals = 3)                                               \
	F(S, TEXT, last_error, MAYBE(error_state), "last error that it printed")                   \
	F(S, ROWS, left_running, ALWAYS, "processes that it left running", .rows = &left_schema)   \
	F(S, TEXT, text, ALWAYS, "the whole paragraph; empty: the command succeeded")

ROW_TABLE(outcome, OUTCOME_ROW, "run.command", outcome_row);

const struct command_table outcome_tables[] = { { "command", &outcome_schema }, { 0 } };

static void append_left_rows(struct buffer *rows, const struct outcome *o)
{
	for (size_t i = 0; i < tree_count(&o->left); i++) {
		const struct tree_process *p = tree_at(&o->left, i);
		struct left_row row = { .record = { .start_ticks = p->last.id.start_ticks,
						.pid = p->last.id.pid },
			.age_s = (double)p->last.age_ns / NS_PER_S,
			.is_by_group = p->is_by_group };
		struct record_tail tail[] = { tail_string(&row.name, p->last.name) };

		RECORD_APPEND(rows, &row, tail, ARRAY_SIZE(tail));
	}
}

struct written {
	const struct outcome *of;
	const struct buffer *text;
};

static int emit_outcome(struct output *out, void *user, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("command", outcome_schema, OBJECT);
	const struct written *w = user;
	const struct outcome *o = w->of;
	struct buffer ended = { 0 }, left = { 0 };
	bool has_waited = o->waited.text.size, has_signal = WIFSIGNALED(o->wait_status);
	char signal[SIGNAL_NAME_SIZE] = "";
	struct outcome_row row = { .record = { .start_ticks = o->id.start_ticks, .pid = o->id.pid },
		.exit_status = (uint32_t)o->exit_status,
		.signal_state = state_if(has_signal),
		.is_timed_out = o->limit_ns != 0,
		.duration_s = (double)(o->end_ns - o->start_ns) / NS_PER_S,
		.waited_state = state_if(has_waited),
		.waited_before_s =
			has_waited ? (double)increase_u64(o->end_ns, o->waited.time_ns) / NS_PER_S
				   : 0,
		.error_state = o->error_unseen ? SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)
					       : state_if(o->error[0]) };
	int status = output_section(out, &section, err);

	if (has_signal)
		signal_name(signal, (unsigned)WTERMSIG(o->wait_status));
	put_claim(&ended, o);
	append_left_rows(&left, o);
	/* Rows come first: they have to be aligned. */
	struct record_tail tail[] = { { &row.left_running, left.data, left.size },
		tail_string(&row.name, o->name), tail_string(&row.signal, signal),
		{ &row.ended_by, ended.data, ended.size },
		{ &row.waited_for, o->waited.text.data, o->waited.text.size },
		tail_string(&row.last_error, o->error),
		{ &row.text, w->text->data, w->text->size } };
	if (!status)
		status = OUTPUT_ROW(out, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&left);
	buffer_fini(&ended);
	return status;
}

int outcome_write(const struct outcome *o, const struct buffer *text, const char *path,
	struct sooth_error *err)
{
	const struct output_options options = { .json = true, .output = path };
	struct written written = { o, text };

	return own_report_emit("run", &options, emit_outcome, &written, err);
}
