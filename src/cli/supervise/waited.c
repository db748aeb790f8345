/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/supervise/waited.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sooth/observer.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/closed_at_exec.h"
#include "base/clock.h"
#include "base/units.h"
#include "cli/selected/process_table_scan.h"
#include "explain/report.h"
#include "os/os.h"

#define TEXT_MAX 4096

/* --- the child: a sink that writes one field into a pipe --- */

static int open_pipe_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	*(int *)state = *(const int *)options->user;
	return 0;
}

static int write_text(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	const struct sooth_field *field = sooth_schema_field(section->schema, "text");

	(void)err;
	batch_for_each (r, batch) {
		struct sooth_value value = { 0 };

		if (field)
			value = sooth_field_get(field, r);
		if (!field || !value_is_there(&value) || field->type != SOOTH_FIELD_TEXT)
			continue;
		if (write(*(int *)state, value.text.data, value.text.size) < 0)
			return -errno;
		break;
	}
	return 0;
}

static const struct sink_type pipe_sink = {
	.name = "pipe",
	.state_size = sizeof(int),
	.is_unlisted = true,
	.open = open_pipe_sink,
	.rows = write_text,
};

static int explain_waits(pid_t pid, int out, struct sooth_error *err)
{
	struct sink_options options = { .user = &out };
	struct sooth_observer *o = NULL;
	struct sooth_report *r = NULL;
	int status = sooth_report_new(&r, "why", err);

	if (!status)
		status = sooth_observer_new(&o, NULL, err);
	if (!status)
		status = report_add_sink_type(r, &pipe_sink, &options, err);
	if (!status)
		status = sooth_report_add_view(r, "waits", NULL, err);
	if (!status)
		status = sooth_observer_add_pid(o, pid, err);
	if (!status)
		status = sooth_observer_add_probe(
			o, "waits", SOOTH_SAMPLE | SOOTH_DETAIL | SOOTH_ONCE, err);
	if (!status)
		status = sooth_observer_add_probe(
			o, "sockets", SOOTH_SAMPLE | SOOTH_DETAIL | SOOTH_ONCE, err);
	return status ? status : scan_observe_once(o, r, err);
}

/* --- the parent --- */

static void read_until(struct buffer *text, int in, uint64_t end_ns)
{
	struct pollfd polled = { .fd = in, .events = POLLIN };
	char bytes[TEXT_MAX];
	ssize_t got = 1;

	while (got > 0 && text->size < TEXT_MAX) {
		uint64_t left_ms = increase_u64(end_ns, clock_monotonic_ns()) / NS_PER_MS;

		if (!left_ms)
			break;
		if (poll(&polled, 1, (int)left_ms) <= 0)
			continue;
		got = read(in, bytes, sizeof(bytes));
		if (got > 0)
			buffer_append(text, bytes, (size_t)got);
	}
}

void waited_read(struct waited *w, pid_t pid, uint64_t timeout_ns)
{
	struct buffer text = { 0 };
	struct sooth_error ignored;
	int ends[2];
	pid_t child, parent = getpid();

	if (closed_at_exec_pipe(ends))
		return;
	child = fork();
	if (!child) {
		os_native.end_with_parent(&os_native);
		if (getppid() == parent)
			explain_waits(pid, ends[1], &ignored);
		_exit(0);
	}
	close(ends[1]);
	if (child > 0) {
		read_until(&text, ends[0], clock_monotonic_ns() + timeout_ns);
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	if (text.size) {
		buffer_fini(&w->text);
		w->text = text;
		w->time_ns = clock_monotonic_ns();
	} else {
		buffer_fini(&text);
	}
}

void waited_fini(struct waited *w)
{
	buffer_fini(&w->text);
}
