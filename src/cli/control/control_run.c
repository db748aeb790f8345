/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/control/control_run.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "explain/report.h"

#define PIDS_SHOWN 8

void control_run_init(struct control_run *c)
{
	assert(c);
	*c = (struct control_run){ 0 };
	control_init(&c->control);
}

int control_run_add_report(
	struct control_run *c, struct sooth_report *report, struct sooth_error *err)
{
	struct sooth_sink_options sink = { .size = sizeof(sink), .in_lines = true };

	assert(c);
	if (c->control.listener < 0 || c->has_no_report)
		return 0;
	c->memory = open_memstream(&c->text, &c->size);
	if (!c->memory)
		return error_no_memory(err);
	c->report = report;
	sink.stream = c->memory;
	return sooth_report_add_sink(report, "json", &sink, err);
}

void control_run_begin(struct control_run *c, const char *command, const struct target_found *found,
	FILE *const others[CONTROL_OTHERS])
{
	assert(c);
	c->command = command;
	c->found = found;
	memcpy(c->others, others, sizeof(c->others));
}

void control_run_close(struct control_run *c)
{
	assert(c);
	control_close(&c->control);
	if (c->memory)
		fclose(c->memory);
	free(c->text);
	control_run_init(c);
}

/* --- what another run could do --- */

/* The ways in which a command has single events, and has a report. */
static const struct {
	const char *command, *events, *report;
} variants[] = {
	{ "trace", "trace", "trace -c" },
	{ "heap", "heap --exact", "heap" },
	{ "sched", "sched --records", "sched" },
	{ "api", "api", "trace --network" },
	{ "timeline", "timeline", "timeline" },
	{ "profile", "profile", "profile" },
	{ "record", "record --stream --probe syscalls -o events.sooth", "trace -c" },
};

/* Sets a remedy: a second command line for the same target, with another socket. */
static int propose_command(const struct control_run *c, bool is_report, struct sooth_error *err)
{
	size_t count = target_found_count(c->found), i = 0;
	struct buffer line = { 0 };

	while (i < ARRAY_SIZE(variants) && strcmp(variants[i].command, c->command))
		i++;
	if (i == ARRAY_SIZE(variants))
		i = 0;
	buffer_format(&line, "sooth %s --control %s.2",
		is_report ? variants[i].report : variants[i].events, c->control.path);
	for (size_t k = 0; k < count && k < PIDS_SHOWN; k++)
		buffer_format(&line, " %u", target_found_pids(c->found)[k]);
	if (!count && sooth_observer_child_pid(c->observer) > 0)
		buffer_format(&line, " %d", (int)sooth_observer_child_pid(c->observer));
	else if (!count)
		buffer_string(&line, " --all");
	error_remedy(err, "%s", buffer_cstr(&line));
	buffer_fini(&line);
	return err->code;
}

/* --- requests --- */

static int pause_run(void *user, struct sooth_error *err)
{
	struct control_run *c = user;
	int status = sooth_observer_pause(c->observer, err);

	return status == -EOPNOTSUPP ? propose_command(c, false, err) : status;
}

static int resume_run(void *user, struct sooth_error *err)
{
	struct control_run *c = user;

	return sooth_observer_resume(c->observer, err);
}

static int mark_run(void *user, const char *name, struct sooth_error *err)
{
	struct control_run *c = user;

	return sooth_observer_mark(c->observer, name, err);
}

static int prepare_report(void *user, struct sooth_error *err)
{
	struct control_run *c = user;
	int status;

	if (!c->report) {
		error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "take a snapshot");
		error_why(err, "this report prints each event at once, and has no sums");
		return propose_command(c, true, err);
	}
	status = sooth_observer_snapshot(c->observer, err);
	if (!status) /* events that are in the rings now are part of the snapshot */
		status = sooth_observer_step(c->observer, 0, err);
	return status < 0 && status != -EINTR ? status : 0;
}

/* Silences streams in a copy: only the original process may write to them. */
static void silence_streams(const struct control_run *c)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null < 0)
		_exit(1);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	for (size_t i = 0; i < ARRAY_SIZE(c->others); i++) {
		if (c->others[i] && fileno(c->others[i]) >= 0)
			dup2(null, fileno(c->others[i]));
	}
}

static int end_report(void *user, struct buffer *text, struct sooth_error *err)
{
	struct control_run *c = user;
	int status;

	silence_streams(c);
	report_set_snapshot(c->report);
	status = sooth_report_finish(c->report, err);
	if (fflush(c->memory) && !status)
		status = error_no_memory(err);
	buffer_append(text, c->text, c->size);
	return status;
}

static const struct control_actions actions = {
	.pause = pause_run,
	.resume = resume_run,
	.mark = mark_run,
	.prepare = prepare_report,
	.report = end_report,
};

void control_run_serve(struct control_run *c, struct sooth_observer *o)
{
	assert(c);
	c->observer = o;
	control_serve(&c->control, &actions, c);
}
