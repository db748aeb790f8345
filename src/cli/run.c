/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of a report, live or from a capture; see run.h. */
#include "cli/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/units.h"
#include "cli/log.h"
#include "cli/stop.h"

#define STEP_MS		 50
#define STOP_PATIENCE_MS 300 /* after Ctrl-C, for the command to end */

const struct option run_option_rows[RUN_OPTION_COUNT] = {
	{ .letter = 'd',
		.name = "duration",
		.type = OPTION_DURATION,
		.argument = "TIME",
		.offset = offsetof(struct run_options, duration_ns),
		.help = "stop after that: 5, 200ms, 2m" },
	{ .name = "buffer",
		.type = OPTION_BYTES,
		.argument = "SIZE",
		.min = 4096,
		.max = 1ull << 30,
		.offset = offsetof(struct run_options, buffer_bytes),
		.help = "room for records between the kernel and sooth" },
};

static int make_report(
	const struct run *run, FILE *stream, struct sooth_report **out, struct sooth_error *err)
{
	int status = sooth_report_new(out, run->name, err);

	if (status)
		return status;
	if (!run->is_silent) {
		struct sooth_sink_options sink = output_sink_options(run->output, stream);

		status = sooth_report_add_sink(
			*out, output_sink_name(run->output, run->is_stream), &sink, err);
	}
	for (size_t i = 0; run->views[i].name && !status; i++)
		status =
			sooth_report_add_view(*out, run->views[i].name, run->views[i].options, err);
	if (run->default_views)
		sooth_report_add_default_views(*out);
	return status;
}

/* --- live --- */

/* sudo is looked through for one thing: a launched command is the invoking user's. */
static void launch_as_invoker(struct sooth_observer_options *options)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	uint64_t uid_number, gid_number;

	if (getuid() || !uid || !gid || !parse_u64(uid, &uid_number) ||
		!parse_u64(gid, &gid_number) || uid_number >= UINT32_MAX ||
		gid_number >= UINT32_MAX)
		return;
	options->has_launch_user = true;
	options->launch_uid = (uid_t)uid_number;
	options->launch_gid = (gid_t)gid_number;
}

static int make_observer(
	const struct run *run, struct sooth_observer **out, struct sooth_error *err)
{
	struct sooth_observer_options options = {
		.size = sizeof(options),
		.sample_ns = run->sample_ns,
		.buffer_bytes = run->buffer_bytes,
		.log = log_print,
		.log_level = log_wanted(),
	};
	int status;

	launch_as_invoker(&options);
	status = sooth_observer_new(out, &options, err);
	if (!status)
		status = target_options_apply(run->target, run->arguments, run->allowed, *out, err);
	for (size_t i = 0; run->probes[i].name && !status; i++)
		status = sooth_observer_add_probe(
			*out, run->probes[i].name, run->probes[i].interest, err);
	return status;
}

static int step_ms(uint64_t now, uint64_t end_ns)
{
	uint64_t left_ms = end_ns > now ? (end_ns - now + NS_PER_MS - 1) / NS_PER_MS : 0;

	return left_ms < STEP_MS ? (int)left_ms : STEP_MS;
}

static int observe(const struct run *run, struct sooth_observer *o, struct sooth_error *err)
{
	enum sooth_end why = SOOTH_END_STOPPED;
	uint64_t end_ns;
	int status = sooth_observer_start(o, err);

	if (status)
		return status;
	end_ns = run->duration_ns ? clock_monotonic_ns() + run->duration_ns : UINT64_MAX;
	for (;;) {
		uint64_t now = clock_monotonic_ns();

		if (stop_is_wanted())
			break;
		if (now >= end_ns) {
			why = SOOTH_END_DURATION;
			break;
		}
		status = sooth_observer_step(o, step_ms(now, end_ns), err);
		if (!status)
			break;
		if (status < 0 && status != -EINTR)
			return status;
	}
	return sooth_observer_stop(o, why, err);
}

/*
 * The time asked for may be over before the command is: it runs on, and we wait for its status.
 * Ctrl-C reaches the command as well: it gets a moment to end by it, and no longer.
 */
static int child_exit(struct sooth_observer *o)
{
	int status = sooth_observer_child_status(o);

	for (int patience_ms = STOP_PATIENCE_MS; status == -1 && patience_ms > 0;) {
		patience_ms -= stop_is_wanted() ? STEP_MS : 0;
		usleep(STEP_MS * 1000);
		status = sooth_observer_child_status(o);
	}
	if (status == -1)
		return 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_live(const struct run *run, struct sooth_report *report, struct out_file *file,
	struct sooth_error *err)
{
	struct sooth_observer *o = NULL;
	int status = make_observer(run, &o, err);

	if (!status && run->output->save)
		status = sooth_observer_save(o, run->output->save, err);
	if (!status)
		status = sooth_observer_connect_report(o, report, err);
	if (!status)
		status = observe(run, o, err);
	if (!status)
		status = sooth_report_finish(report, err);
	if (!status && file->stream)
		status = out_file_commit(file, err);
	if (!status && run->arguments->command)
		status = child_exit(o);
	sooth_observer_free(o);
	return status;
}

static int run_capture(const struct run *run, struct sooth_report *report, const char *path,
	struct out_file *file, struct sooth_error *err)
{
	int status;

	if (run->output->save) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --save with a capture");
		error_why(err, "it is one already");
		return error_remedy(err, "copy the file");
	}
	status = sooth_report_read(report, path, err);
	if (!status)
		status = sooth_report_finish(report, err);
	return status || !file->stream ? status : out_file_commit(file, err);
}

/* The report must not land in the capture, nor the command's own output. */
static int check_outputs(const struct run *run, struct sooth_error *err)
{
	const char *save = run->output->save, *output = run->output->output;

	if (!save)
		return 0;
	if (!run->is_silent && !strcmp(save, output ? output : "-")) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write report and capture to %s", save);
		error_why(err, "one would replace the other");
		return error_remedy(err, "give one of them another name");
	}
	if (run->arguments->command && !strcmp(save, "-")) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write the capture to standard output");
		error_why(err, "the command that is launched writes there too");
		return error_remedy(err, "give the capture a file");
	}
	return 0;
}

int run_report(const struct run *run, struct sooth_error *err)
{
	const char *capture = target_capture(run->arguments);
	struct sooth_report *report = NULL;
	struct out_file file = { 0 };
	int status = 0;

	stop_catch();
	if (run->output->output && !run->is_silent)
		status = out_file_open(&file, run->output->output, false, err);
	if (!status)
		status = check_outputs(run, err);
	if (!status)
		status = make_report(run, file.stream ? file.stream : stdout, &report, err);
	if (!status)
		status = capture ? run_capture(run, report, capture, &file, err)
				 : run_live(run, report, &file, err);
	sooth_report_free(report);
	out_file_close(&file);
	return status;
}
