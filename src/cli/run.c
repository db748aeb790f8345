/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of a report, live or from a capture; see run.h. */
#include "cli/run.h"

#include <errno.h>
#include <grp.h>
#include <langinfo.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/units.h"
#include "cli/log.h"
#include "cli/stop.h"

#define STEP_MS 50

const struct option target_option_rows[TARGET_OPTION_COUNT] = {
	{ .letter = 'p', .name = "pid", .type = OPTION_LIST, .argument = "PID[,PID...]",
		.offset = offsetof(struct target_options, pids), .help = "these processes" },
	{ .letter = 'u', .name = "user", .type = OPTION_TEXT, .argument = "USER",
		.offset = offsetof(struct target_options, user),
		.help = "every process of a user, by name or id" },
};

static const char *const formats[] = { "table", "json", "jsonl", NULL };
static const char *const colors[] = { "auto", "always", "never", NULL };

const struct option output_option_rows[OUTPUT_OPTION_COUNT] = {
	{ .letter = 'j', .name = "json", .type = OPTION_FLAG,
		.offset = offsetof(struct output_options, json),
		.help = "one JSON object for a report, JSON lines for a stream" },
	{ .name = "format", .type = OPTION_CHOICE, .argument = "NAME", .choices = formats,
		.offset = offsetof(struct output_options, format), .help = "table, json or jsonl" },
	{ .letter = 'o', .name = "output", .type = OPTION_TEXT, .argument = "FILE",
		.offset = offsetof(struct output_options, output),
		.help = "write there, made readable for you only; - is standard output" },
	{ .name = "color", .type = OPTION_CHOICE, .argument = "WHEN", .choices = colors,
		.offset = offsetof(struct output_options, color), .help = "auto, always or never" },
};

const struct option save_option_rows[SAVE_OPTION_COUNT] = {
	{ .name = "save", .type = OPTION_TEXT, .argument = "FILE.sooth",
		.offset = offsetof(struct output_options, save),
		.help = "keep what was seen: the same command reads it again" },
};

const struct option run_option_rows[RUN_OPTION_COUNT] = {
	{ .letter = 'd', .name = "duration", .type = OPTION_DURATION, .argument = "TIME",
		.offset = offsetof(struct run_options, duration_ns),
		.help = "stop after that: 5, 200ms, 2m" },
	{ .name = "buffer", .type = OPTION_BYTES, .argument = "SIZE", .min = 4096,
		.max = 1ull << 30, .offset = offsetof(struct run_options, buffer_bytes),
		.help = "room for records between the kernel and sooth" },
};

/* --- target --- */

static int parse_pid(const char *text, pid_t *pid, struct sooth_error *err)
{
	uint64_t number;

	if (parse_u64(text, &number) && number > 0 && number <= INT32_MAX) {
		*pid = (pid_t)number;
		return 0;
	}
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\" as a process id", text);
	return error_remedy(err, "give a number, or a capture file that exists");
}

static int parse_user(const char *text, uid_t *uid, struct sooth_error *err)
{
	struct passwd *known = getpwnam(text);
	uint64_t number;

	if (known) {
		*uid = known->pw_uid;
		return 0;
	}
	if (parse_u64(text, &number) && number < UINT32_MAX) {
		*uid = (uid_t)number;
		return 0;
	}
	return error_set(err, -ENOENT, SOOTH_FAULT_NOT_FOUND, "find the user %s", text);
}

static int add_pids(struct sooth_observer *o, const char *const *items, size_t count,
	struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		pid_t pid = 0;

		status = parse_pid(items[i], &pid, err);
		if (!status)
			status = sooth_observer_add_pid(o, pid, err);
	}
	return status;
}

static int no_target(struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "run without a target");
	error_why(err, "nothing says which process is meant");
	return error_remedy(err, "give -p PID, -u USER, a capture file, or -- COMMAND");
}

static int set_target(const struct run *run, struct sooth_observer *o, struct sooth_error *err)
{
	const struct target_options *t = run->target;
	const struct arguments *a = run->arguments;
	int status = 0;
	uid_t uid = 0;

	if (a->command && !run->may_take_command)
		return error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "launch a command with sooth %s",
			run->name);
	if (a->command)
		return sooth_observer_set_command(o, a->command, err);
	if (t->user) {
		status = parse_user(t->user, &uid, err);
		return status ? status : sooth_observer_set_user(o, uid, err);
	}
	if (!t->pids.count && !a->count)
		return run->may_take_host ? sooth_observer_set_host(o, err) : no_target(err);
	status = add_pids(o, t->pids.items, t->pids.count, err);
	return status ? status : add_pids(o, (const char *const *)a->items, a->count, err);
}

/* sudo is looked through for one thing: a launched command is the invoking user's. */
static void launch_as_invoker(struct sooth_observer_options *options)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	uint64_t uid_number, gid_number;

	if (getuid() || !uid || !gid || !parse_u64(uid, &uid_number) || !parse_u64(gid, &gid_number))
		return;
	options->has_launch_user = true;
	options->launch_uid = (uid_t)uid_number;
	options->launch_gid = (gid_t)gid_number;
}

/* --- output --- */

static const char *sink_name(const struct run *run)
{
	if (run->output->format)
		return run->output->format;
	if (!run->output->json)
		return "table";
	return run->is_stream ? "jsonl" : "json";
}

static unsigned terminal_width(int fd)
{
	struct winsize size;

	if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) || !size.ws_col)
		return 0;
	return size.ws_col;
}

static bool wants_color(const struct output_options *o, int fd)
{
	const char *no_color = getenv("NO_COLOR");

	if (o->color && strcmp(o->color, "auto"))
		return !strcmp(o->color, "always");
	return isatty(fd) && !(no_color && *no_color);
}

static int add_sink(const struct run *run, struct sooth_report *report, FILE *stream,
	struct sooth_error *err)
{
	struct sooth_sink_options options = {
		.size = sizeof(options),
		.stream = stream,
		.width = terminal_width(fileno(stream)),
		.use_color = wants_color(run->output, fileno(stream)),
		.use_ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
	};

	return sooth_report_add_sink(report, sink_name(run), &options, err);
}

static int make_report(const struct run *run, FILE *stream, struct sooth_report **out,
	struct sooth_error *err)
{
	int status = sooth_report_new(out, run->name, err);

	if (status)
		return status;
	if (!run->is_silent)
		status = add_sink(run, *out, stream, err);
	for (size_t i = 0; run->views[i].name && !status; i++)
		status = sooth_report_add_view(*out, run->views[i].name, run->views[i].options, err);
	if (run->default_views)
		sooth_report_add_default_views(*out);
	return status;
}

/* --- the run --- */

static int make_observer(const struct run *run, struct sooth_observer **out, struct sooth_error *err)
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
		status = set_target(run, *out, err);
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

/* The time asked for may be over before the command is: it runs on, and we wait for its status. */
static int child_exit(struct sooth_observer *o)
{
	int status = sooth_observer_child_status(o);

	while (status == -1 && !stop_is_wanted()) {
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

	if (run->output->save)
		return error_set(err, -EINVAL, SOOTH_FAULT_USAGE,
			"use --save with a capture: it is one already");
	status = sooth_report_read(report, path, err);
	if (!status)
		status = sooth_report_finish(report, err);
	return status || !file->stream ? status : out_file_commit(file, err);
}

/* The one argument that is not a number names a capture. */
static const char *capture_path(const struct run *run)
{
	const struct arguments *a = run->arguments;
	uint64_t number;

	if (a->count != 1 || a->command || parse_u64(a->items[0], &number))
		return NULL;
	return a->items[0];
}

int run_report(const struct run *run, struct sooth_error *err)
{
	const char *capture = capture_path(run);
	struct sooth_report *report = NULL;
	struct out_file file = { 0 };
	int status = 0;

	stop_catch();
	if (run->output->output && !run->is_silent)
		status = out_file_open(&file, run->output->output, false, err);
	if (!status)
		status = make_report(run, file.stream ? file.stream : stdout, &report, err);
	if (!status)
		status = capture ? run_capture(run, report, capture, &file, err) :
				   run_live(run, report, &file, err);
	sooth_report_free(report);
	out_file_close(&file);
	return status;
}
