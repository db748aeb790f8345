/* SPDX-License-Identifier: BSD-2-Clause */
/* See alerts.h. */
#include "cli/alerts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/json.h"
#include "base/units.h"
#include "model/batch.h"
#include "model/field.h"

#define RAISED_MAX 4096
#define JSON_MAX   32768 /* fits a pipe at once, so that nobody waits for the reader */
#define NOT_RUN	   127	 /* exit status of a shell, and of ours */

/* What is watched: a field of the rows, and the threshold. */
struct watched {
	const char *alert, *field, *unit;
	unsigned decimals;
};
static const struct watched watched[] = { { "cpu", "cpu_percent", "percent", 1 },
	{ "memory", "rss_bytes", "bytes", 0 } };

struct alert_key {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t kind;
};

struct raised_alert {
	uint32_t frame; /* in which it was last seen */
	char name[64];
};

struct event {
	const struct watched *what;
	struct alert_key key;
	const struct sooth_record *row; /* NULL: it has ended */
	const struct sooth_schema *schema;
	const char *name;
	bool is_raised;
	double value, threshold;
};

void alerts_init(struct alerts *a, const struct alert_options *options)
{
	*a = (struct alerts){ .options = *options };
	map_init(&a->raised, sizeof(struct alert_key), sizeof(struct raised_alert), RAISED_MAX);
}

void alerts_fini(struct alerts *a)
{
	map_fini(&a->raised);
}

/* --- telling --- */

static void text_member(struct json *j, const struct event *e, const char *name)
{
	const struct sooth_field *f = e->row ? sooth_schema_field(e->schema, name) : NULL;
	struct sooth_value v;

	if (!f)
		return;
	v = sooth_field_get(f, e->row);
	if (v.state != SOOTH_STATE_VALUE || v.type != SOOTH_FIELD_TEXT)
		return;
	json_key(j, name);
	json_string(j, v.text.data, v.text.size);
}

static void write_figure(struct json *j, const struct event *e, const char *name, double value)
{
	json_key(j, name);
	json_f64(j, value, e->what->decimals);
}

static void write_json(struct buffer *out, const struct event *e)
{
	char time[UNITS_SIZE];
	struct json j;

	format_utc(time, clock_realtime_ns());
	json_init(&j, out, 0);
	json_begin_object(&j);
	json_key(&j, "alert");
	json_cstring(&j, e->what->alert);
	json_key(&j, "state");
	json_cstring(&j, e->is_raised ? "raised" : "cleared");
	json_key(&j, "time");
	json_cstring(&j, time);
	json_key(&j, "pid");
	json_u64(&j, e->key.pid);
	json_key(&j, "name");
	json_string(&j, e->name, strlen(e->name));
	text_member(&j, e, "agent");
	text_member(&j, e, "project");
	text_member(&j, e, "session_id");
	json_key(&j, "has_ended");
	json_bool(&j, !e->row);
	if (e->row)
		write_figure(&j, e, "value", e->value);
	write_figure(&j, e, "threshold", e->threshold);
	json_key(&j, "unit");
	json_cstring(&j, e->what->unit);
	json_end(&j);
	buffer_char(out, '\n');
}

/* As it stands in the option: no shell sees it, and nothing of a target becomes a word of it. */
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

static void complain(struct alerts *a, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "%s %s", a->options.command, what);
	if (a->screen)
		screen_tell(a->screen, text);
	else
		fprintf(stderr, "sooth: %s\n", text);
}

/* Those that have ended give their places up. */
static void reap(struct alerts *a)
{
	for (size_t i = 0; i < ALERT_COMMANDS_MAX; i++) {
		int status = 0;

		if (!a->commands[i] || !waitpid(a->commands[i], &status, WNOHANG))
			continue;
		a->commands[i] = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_RUN)
			complain(a, "could not be run");
	}
}

static pid_t *find_place(struct alerts *a)
{
	reap(a);
	for (size_t i = 0; i < ALERT_COMMANDS_MAX; i++) {
		if (!a->commands[i])
			return &a->commands[i];
	}
	complain(a, "was not run: those before have not ended");
	return NULL;
}

static void start_command(struct alerts *a, const struct event *e)
{
	struct buffer json = { 0 };
	pid_t *free_place = find_place(a), child;
	int ends[2];

	if (!free_place)
		return;
	if (pipe2(ends, O_CLOEXEC)) {
		complain(a, "could not be run: no pipe");
		return;
	}
	write_json(&json, e);
	child = fork();
	if (!child)
		run_command(a->options.command, ends[0]);
	*free_place = child > 0 ? child : 0;
	if (child < 0)
		complain(a, "could not be run: no other process could be started");
	if (child > 0 && !buffer_failed(&json) && json.size < JSON_MAX &&
		write(ends[1], json.data, json.size) < 0)
		complain(a, "does not read what it is told");
	close(ends[0]);
	close(ends[1]);
	buffer_fini(&json);
}

static void describe(struct buffer *line, const struct event *e)
{
	char figure[UNITS_SIZE], limit[UNITS_SIZE];

	buffer_format(line, "process %u (", e->key.pid);
	escape_terminal(line, e->name, strlen(e->name));
	buffer_string(line, ") ");
	if (!e->row) {
		buffer_format(line, "has ended; it was over its %s threshold", e->what->alert);
		return;
	}
	if (!strcmp(e->what->alert, "cpu"))
		buffer_format(line, "uses %.1f %% CPU, threshold %.1f %%", e->value, e->threshold);
	else
		buffer_format(line, "has %s resident, threshold %s",
			format_bytes(figure, (uint64_t)e->value),
			format_bytes(limit, (uint64_t)e->threshold));
	if (!e->is_raised)
		buffer_string(line, ": below again");
}

static void tell(struct alerts *a, const struct event *e)
{
	struct buffer line = { 0 };

	describe(&line, e);
	if (a->screen)
		screen_tell(a->screen, buffer_cstr(&line));
	else
		fprintf(stderr, "sooth: %s: %s\n", e->is_raised ? "warning" : "cleared",
			buffer_cstr(&line));
	if (a->options.has_bell && e->is_raised && isatty(STDERR_FILENO))
		fputc('\a', stderr);
	if (a->options.command)
		start_command(a, e);
	buffer_fini(&line);
}

/* --- watching --- */

static double threshold_of(const struct alerts *a, uint32_t kind)
{
	return kind ? (double)a->options.rss_bytes : a->options.cpu_percent;
}

static void copy_name(
	char out[64], const struct sooth_schema *schema, const struct sooth_record *row)
{
	const struct sooth_field *f = sooth_schema_field(schema, "name");
	struct sooth_value v = { .state = SOOTH_STATE_ABSENT };

	if (f)
		v = sooth_field_get(f, row);
	out[0] = '\0';
	if (value_is_there(&v))
		snprintf(out, 64, "%.*s", (int)v.text.size, v.text.data);
}

static void watch(struct alerts *a, uint32_t kind, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	const struct sooth_field *f = sooth_schema_field(schema, watched[kind].field);
	struct event e = { .what = &watched[kind],
		.row = row,
		.schema = schema,
		.threshold = threshold_of(a, kind),
		.key = { row->start_ticks, row->pid, kind } };
	struct raised_alert *known = map_get(&a->raised, &e.key);
	struct sooth_value v;
	char name[64];

	if (!f || e.threshold <= 0)
		return;
	v = sooth_field_get(f, row);
	if (known)
		known->frame = a->frame;
	if (v.state != SOOTH_STATE_VALUE)
		return;
	e.value = v.type == SOOTH_FIELD_REAL ? v.f : (double)v.u;
	copy_name(name, schema, row);
	e.name = name;
	e.is_raised = e.value >= e.threshold;
	if (!known && e.is_raised) {
		known = map_put(&a->raised, &e.key, NULL);
		if (known) {
			*known = (struct raised_alert){ .frame = a->frame };
			memcpy(known->name, name, sizeof(name));
			tell(a, &e);
		}
	} else if (known && e.value < e.threshold * ALERT_CLEAR_AT) {
		map_remove(&a->raised, &e.key);
		tell(a, &e);
	}
}

static void clear_ended(struct alerts *a)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&a->raised, &position, &key, &value)) {
		struct raised_alert was = *(struct raised_alert *)value;
		struct event e = { .key = *(const struct alert_key *)key };

		if (was.frame == a->frame)
			continue;
		e.what = &watched[e.key.kind];
		e.name = was.name;
		e.threshold = threshold_of(a, e.key.kind);
		map_remove(&a->raised, &e.key);
		tell(a, &e);
	}
}

/* --- as a sink --- */

struct alert_state {
	struct alerts *alerts;
	bool has_rows; /* the frame had a table of them */
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	((struct alert_state *)state)->alerts = options->user;
	return 0;
}

static int begin(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct alert_state *s = state;

	(void)head;
	(void)err;
	s->alerts->frame++;
	s->has_rows = false;
	return 0;
}

static bool is_watched(const struct section *section)
{
	return section->shape == SECTION_TABLE && !strcmp(section->name, "processes");
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	(void)err;
	((struct alert_state *)state)->has_rows |= is_watched(section);
	return 0;
}

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct alert_state *s = state;

	(void)err;
	if (!is_watched(section))
		return 0;
	batch_for_each (r, batch) {
		for (uint32_t kind = 0; kind < ARRAY_SIZE(watched); kind++)
			watch(s->alerts, kind, section->schema, r);
	}
	return 0;
}

static int end(void *state, struct sooth_error *err)
{
	struct alert_state *s = state;

	(void)err;
	if (s->has_rows)
		clear_ended(s->alerts);
	reap(s->alerts);
	return 0;
}

const struct sink_type alert_sink = {
	.name = "alerts",
	.help = "thresholds that are watched",
	.state_size = sizeof(struct alert_state),
	.open = open_sink,
	.begin = begin,
	.section = section_begin,
	.rows = rows,
	.end = end,
};
