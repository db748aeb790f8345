/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs one report, live or from a capture. */
#include "cli/run.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/same_file.h"
#include "base/units.h"
#include "cli/config/config_files.h"
#include "cli/dry_run.h"
#include "cli/user_agents/user_agents.h"
#include "cli/command/command.h"
#include "cli/control/control_run.h"
#include "cli/output/deferred.h"
#include "cli/page.h"
#include "cli/rights/explaining.h"
#include "cli/run_options.h"
#include "cli/run_so_far.h"
#include "cli/state/history_files.h"
#include "cli/terminal/log.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/stop.h"
#include "cli/watch/watch.h"
#include "collect/observer.h"
#include "explain/registry.h"
#include "explain/report.h"
#include "sinks/raster.h"

/* --- run --- */

#define STEP_MS		50
#define QUIET_STEP_MS	500 /* nothing is drawn; a signal ends the wait */
#define CONTROL_STEP_MS 10  /* another program waits for the answer */
#define STOP_TIMEOUT_MS 300 /* wait for the command to end after Ctrl-C */

const struct option run_option_rows[RUN_OPTION_COUNT] = {
	VALUE_ROW('d', "duration", DURATION, "TIME", run_options, duration_ns,
		"stop after this time, e.g. 5 (seconds), 200ms or 2m", .min = NS_PER_MS,
		.max = 366 * 86400 * NS_PER_S),
	VALUE_ROW(0, "buffer", BYTES, "SIZE", run_options, buffer_bytes,
		"size of the buffer for records between the kernel and sooth, e.g. 32M",
		.min = 4096, .max = 1ull << 30),
	VALUE_ROW(0, "max-overhead", U64, "PCT", run_options, max_overhead_percent,
		"observe less once the probes take more than PCT % of the target's CPU time",
		.min = 1, .max = 100),
	VALUE_ROW(0, "control", TEXT, "SOCKET", run_options, control,
		"listen at this socket for ping, pause, resume, mark NAME, snapshot"),
	FLAG_ROW(0, "dry-run", run_options, dry_run,
		"only say what would be attached, by which method, and what each event would cost"),
};

#define RUN_SIDES (1 + RUN_MORE)

/* The report and its side outputs, with their files. */
struct told {
	struct sooth_report *report;
	struct out_file file;
	struct told_side {
		struct sooth_report *report;
		struct out_file file, beside;
	} sides[RUN_SIDES];
	struct told_page { /* that the product has as a member */
		struct sooth_report *report;
		FILE *stream;
		struct sink_attachment text;
	} page;
	struct held held;		 /* the buffered report, if it has a filter */
	const struct watch_front *front; /* NULL: no screen */
	struct alerts alerts;
	struct control_run control;
	struct progress progress;
	struct run_so_far so_far;
};

static const struct run_side_output *side_of(const struct run *run, size_t i)
{
	return i ? &run->more[i - 1] : &run->product;
}

static bool is_standard_output(const char *path)
{
	return path && !strcmp(path, "-");
}

static int add_alerts(const struct run *run, struct told *t, const struct alert_options *options,
	struct sooth_error *err)
{
	/* A stream on a terminal shows the alerts itself. */
	t->alerts.is_silent = !run->watch && isatty(STDOUT_FILENO);
	return watch_alerts(&t->alerts, options, t->front, t->report, err);
}

static int make_frames(const struct run *run, struct told *t, struct sooth_error *err)
{
	struct sink_options user = { .user = run->watch->front ? run->watch->front->user : NULL };
	int status = 0;

	if (run->watch->in_intervals) {
		report_in_intervals(t->report, run->watch->schema);
		return 0;
	}
	report_in_frames(t->report, run->watch->schema);
	t->front = run->watch->front;
	/* A capture delivers all frames at once: they are printed one after the other. */
	if (t->front)
		status = report_add_sink_type(t->report, t->front->sink, &user, err);
	else if (!run->found->capture)
		watch_announce(run->watch->interval_ns);
	return status || !run->watch->alerts ? status : add_alerts(run, t, run->watch->alerts, err);
}

/* Returns whether the report may be buffered: lines and frames are printed as they come. */
static bool may_be_held(const struct run *run)
{
	return !run->is_stream && !run->watch;
}

static int make_report(const struct run *run, struct told *t, struct sooth_error *err)
{
	FILE *stream = t->file.stream ? t->file.stream : stdout;
	int status = sooth_report_new(&t->report, run->name, err);

	if (is_standard_output(run->product.path))
		stream = stderr;
	if (!status && run->watch)
		status = make_frames(run, t, err);
	if (!status && !run->is_silent && !t->front) {
		struct sooth_sink_options sink = output_sink_options(run->output, stream);

		sink.in_lines = run->watch != NULL;
		if (may_be_held(run))
			status = held_begin(&t->held, run->output, stream, err);
		if (t->held.stream)
			sink.stream = t->held.stream;
		if (!status && run->page.is_written)
			status = page_add(run, t->report, sink.stream, err);
		else if (!status)
			status = sooth_report_add_sink(t->report,
				output_sink_name(run->output, run->is_stream), &sink, err);
	}
	if (!status && run->alerts)
		status = add_alerts(run, t, run->alerts, err);
	if (!status && run->output->filter)
		status = sooth_report_filter(t->report, run->output->filter, err);
	for (size_t i = 0; run->views[i].name && !status; i++)
		status = sooth_report_add_view(
			t->report, run->views[i].name, run->views[i].options, err);
	if (!status && run->default_views)
		sooth_report_add_default_views(t->report);
	t->control.has_no_report = run->is_stream || run->watch;
	if (!status)
		status = control_run_add_report(&t->control, t->report, err);
	return status ? status : report_check_filter(t->report, err);
}

static int add_side_output_sink(const struct run_side_output *side, struct sooth_report *report,
	const struct sooth_sink_options *sink, const struct sink_attachment *attached,
	struct sooth_error *err)
{
	const struct sink_type *type = registry_sink(side->sink);
	struct sink_options options = {
		.stream = sink->stream, .packing = side->packing, .attached = attached
	};

	if (side->packing || attached)
		return report_add_sink_type(report, type, &options, err);
	if (!side->is_picture || !output_is_png(side->path))
		return sooth_report_add_sink(report, side->sink, sink, err);
	options.user = (void *)type;
	return report_add_sink_type(report, &raster_sink, &options, err);
}

/* Makes a side output. `from`: the report that passes its blocks on to it. */
static int make_side_output(const struct run *run, const struct run_side_output *side,
	struct told_side *t, struct sooth_report *from, const struct sink_attachment *attached,
	struct sooth_error *err)
{
	struct sooth_sink_options sink = { .size = sizeof(sink), .stream = t->file.stream };
	struct sooth_sink_options beside = { .size = sizeof(sink), .stream = t->beside.stream };
	int status = sooth_report_new(&t->report, side->name ? side->name : run->name, err);

	if (!status)
		status = add_side_output_sink(side, t->report, &sink, attached, err);
	if (!status && side->beside_path)
		status = sooth_report_add_sink(t->report, side->beside_sink, &beside, err);
	if (!status)
		status = sooth_report_add_view(t->report, side->view.name, side->view.options, err);
	if (!status)
		report_pass_on(from, t->report);
	return status;
}

/* Makes the page that the product has as a member, in memory. */
static int make_page(const struct run *run, struct told_page *t, struct sooth_report *from,
	struct sooth_error *err)
{
	int status = sooth_report_new(&t->report, run->name, err);

	t->text.key = "page_html";
	t->stream = open_memstream(&t->text.text, &t->text.size);
	if (!status && !t->stream)
		status = error_no_memory(err);
	if (!status)
		status = page_add_redacted(run, t->report, t->stream, err);
	if (!status)
		status = sooth_report_add_view(
			t->report, run->views[0].name, run->views[0].options, err);
	if (!status)
		report_pass_on(from, t->report);
	return status;
}

static int finish_page(struct told_page *t, struct sooth_error *err)
{
	int status = t->report ? sooth_report_finish(t->report, err) : 0;

	if (!status && t->stream && fflush(t->stream))
		status = error_no_memory(err);
	return status;
}

static void free_page(struct told_page *t)
{
	sooth_report_free(t->report);
	if (t->stream)
		fclose(t->stream);
	free(t->text.text);
}

static int make_side_outputs(const struct run *run, struct told *t, struct sooth_error *err)
{
	bool has_page = run->page.is_attached;
	struct sooth_report *from = t->report;
	int status = has_page ? make_page(run, &t->page, from, err) : 0;

	from = has_page ? t->page.report : from;

	for (size_t i = 0; i < RUN_SIDES && !status; i++) {
		if (!side_of(run, i)->path)
			continue;
		status = make_side_output(run, side_of(run, i), &t->sides[i], from,
			has_page && !i ? &t->page.text : NULL, err);
		from = t->sides[i].report;
	}
	return status;
}

static void emit_left_out(const struct run_side_output *side, const struct told_side *t)
{
	struct buffer lines = { 0 };

	if (t->report && side->has_no_notes)
		report_limit_lines(t->report, &lines);
	if (lines.size)
		fprintf(stderr, "sooth: %s is incomplete:\n%s", side->path, buffer_cstr(&lines));
	buffer_fini(&lines);
}

static void emit_written(const struct run_side_output *side)
{
	const char *path = side->path, *beside = side->beside_path;

	if (!path || side->is_named || is_standard_output(path))
		return;
	fprintf(stderr, "sooth: wrote %s%s%s\n", path, beside ? " and " : "", beside ?: "");
}

static void emit_sides(const struct run *run, const struct told *t)
{
	if (run->page.is_written && !is_standard_output(run->output->output))
		fprintf(stderr, "sooth: wrote %s, for a browser\n", run->output->output);
	for (size_t i = 0; i < RUN_SIDES; i++) {
		emit_left_out(side_of(run, i), &t->sides[i]);
		emit_written(side_of(run, i));
	}
}

static int finish_side(struct told_side *t, struct sooth_error *err)
{
	int status = t->report ? sooth_report_finish(t->report, err) : 0;

	if (!status && t->file.stream)
		status = out_file_commit(&t->file, err);
	if (!status && t->beside.stream)
		status = out_file_commit(&t->beside, err);
	return status;
}

static int finish_all(const struct run *run, struct told *t, struct sooth_error *err)
{
	int status;

	/* A buffered report replaces the line at once. */
	if (!t->held.stream)
		progress_end(&t->progress);
	status = sooth_report_finish(t->report, err);
	progress_end(&t->progress);
	/* The pager comes last: it may stay open for long. */
	if (!status && !t->held.is_paged)
		status = held_release(&t->held, err);
	if (!status)
		status = finish_page(&t->page, err);
	for (size_t i = 0; i < RUN_SIDES && !status; i++)
		status = finish_side(&t->sides[i], err);
	if (!status && t->file.stream)
		status = out_file_commit(&t->file, err);
	if (!status)
		emit_sides(run, t);
	if (!status && t->held.is_paged)
		status = held_release(&t->held, err);
	return status;
}

/* --- live --- */

static bool observes_probe(const struct run *run, const char *probe)
{
	for (size_t i = 0; run->probes[i].name; i++) {
		if (!strcmp(run->probes[i].name, probe))
			return true;
	}
	return false;
}

/* Gives the target to an observer. */
static int target_found_apply(const struct target_found *found, unsigned allowed,
	struct sooth_observer *o, struct sooth_error *err)
{
	bool is_host = allowed & TARGET_IS_HOST;
	int status = 0;

	if (found->command)
		return sooth_observer_set_command(o, found->command, err);
	if (found->has_user && !is_host)
		return sooth_observer_set_user(o, found->user, err);
	if (is_host || found->is_host || !target_found_count(found))
		status = sooth_observer_set_host(o, err);
	for (size_t i = 0; i < target_found_count(found) && !status; i++)
		status = sooth_observer_add_pid(o, (pid_t)target_found_pids(found)[i], err);
	return status;
}

static int make_observer(
	const struct run *run, struct sooth_observer **out, struct sooth_error *err)
{
	const struct target_found *found = run->found;
	struct sooth_observer_options options;
	int status = run_options_of(&options, run, err);

	status = status ? status : sooth_observer_new(out, &options, err);
	if (!status)
		status = target_found_apply(found, run->allowed, *out, err);
	for (size_t i = 0; i < run->selected_count && !status; i++)
		status = sooth_observer_add_pid(*out, (pid_t)run->selected[i], err);
	for (size_t i = 0; run->probes[i].name && !status; i++)
		status = sooth_observer_add_probe(
			*out, run->probes[i].name, run->probes[i].interest, err);
	for (size_t i = 0; i < RUN_UNSEEN_MAX && !status; i++) {
		const struct run_unseen *u = &run->unseen[i];

		if (u->what)
			status = sooth_observer_add_limit(*out, u->what, u->reason, u->remedy, err);
	}
	/* If processes are observed, agents are recognized too. */
	if (!status && observes_probe(run, "proc"))
		status = user_agents_add(*out, err);
	return status;
}

static int step_ms(const struct run *run, const struct told *t, uint64_t now, uint64_t end_ns)
{
	bool is_prompt = run->chore.every_ns && run->chore.every_ns < NS_PER_S;
	bool is_seen = run->watch || run->alerts || run->progress;
	int most = run->options.control || is_prompt ? CONTROL_STEP_MS
		   : is_seen			     ? STEP_MS
						     : QUIET_STEP_MS;
	uint64_t left_ms = end_ns > now ? (end_ns - now + NS_PER_MS - 1) / NS_PER_MS : 0;

	if (t->front) {
		t->front->wait(t->front->stepped);
		return 0;
	}
	return left_ms < (uint64_t)most ? (int)left_ms : most;
}

static uint64_t extend_run(const struct run *run, uint64_t now, struct progress *p)
{
	uint64_t end_ns = now + run->extension.more_ns(run->extension.user);

	progress_extend(p, run->extension.progress, end_ns);
	return end_ns;
}

/* Steps until the end; sets `why` to the reason of the end. */
static int step_to_end(const struct run *run, struct told *t, struct sooth_observer *o,
	enum sooth_end *why, struct sooth_error *err)
{
	uint64_t now = clock_monotonic_ns();
	uint64_t end_ns = run->options.duration_ns ? now + run->options.duration_ns : UINT64_MAX;
	uint64_t chore_ns = run->chore.every_ns ? now + run->chore.every_ns : UINT64_MAX;
	int status = 1;

	*why = SOOTH_END_STOPPED;
	progress_extend(&t->progress, run->progress, end_ns);
	while ((status > 0 || status == -EINTR) && !stop_is_selected() &&
		!(t->front && !t->front->step(t->front->stepped))) {
		now = clock_monotonic_ns();
		if (now >= end_ns && run->extension.more_ns)
			end_ns = extend_run(run, now, &t->progress);
		if (now >= end_ns) {
			*why = SOOTH_END_DURATION;
			break;
		}
		run_so_far_step(&t->so_far, t->report, &t->progress, now);
		if (run->extension.step)
			run->extension.step(run->extension.step_user, o, end_ns - now);
		status = sooth_observer_step(o, step_ms(run, t, now, end_ns), err);
		if (t->front && t->front->interval_ns)
			observer_sample_every(o, *t->front->interval_ns);
		control_run_serve(&t->control, o);
		if (status > 0 && now >= chore_ns) {
			chore_ns = now + run->chore.every_ns;
			status = run->chore.act(run->chore.user, o, err) ?: 1;
		}
	}
	run_so_far_end(&t->so_far);
	return status < 0 && status != -EINTR ? status : 0;
}

/* Observes from the start to the end. */
static int observe_run(
	const struct run *run, struct told *t, struct sooth_observer *o, struct sooth_error *err)
{
	FILE *others[CONTROL_OTHERS] = { t->file.stream };
	enum sooth_end why;
	int status = 0;

	_Static_assert(CONTROL_OTHERS == 1 + 2 * RUN_SIDES, "all files");
	for (size_t i = 0; i < RUN_SIDES; i++) {
		others[1 + 2 * i] = t->sides[i].file.stream;
		others[2 + 2 * i] = t->sides[i].beside.stream;
	}
	control_run_begin(&t->control, run->name, run->found, others);
	/* From now on lines of the file can be followed, and stay if sooth is killed. */
	for (size_t i = 0; i < RUN_SIDES && !status; i++) {
		if (t->sides[i].file.stream && !side_of(run, i)->is_whole)
			status = out_file_place(&t->sides[i].file, err);
	}
	if (!status && t->file.stream && run->is_stream)
		status = out_file_place(&t->file, err);
	if (!status)
		status = step_to_end(run, t, o, &why, err);
	return status ? status : sooth_observer_stop(o, why, err);
}

/* Returns the exit status of the command. The duration may end before the command: it runs on, and
 * sooth waits for its exit. Ctrl-C reaches the command as well, which then has only a moment to
 * exit. */
static int child_exit(struct sooth_observer *o)
{
	int status = sooth_observer_child_status(o);

	if (status == -1 && !stop_is_selected())
		fprintf(stderr,
			"sooth: the recording has ended; waiting for the exit status of the "
			"command (pid %d)\n",
			(int)sooth_observer_child_pid(o));
	for (int timeout_ms = STOP_TIMEOUT_MS; status == -1 && timeout_ms > 0;) {
		timeout_ms -= stop_is_selected() ? STEP_MS : 0;
		usleep(STEP_MS * 1000);
		status = sooth_observer_child_status(o);
	}
	if (status == -1) {
		fputs("sooth: the launched command is still running\n", stderr);
		return 0;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Shows progress before the probes start, as their start takes some time too. */
static void begin_progress(const struct run *run, struct told *t)
{
	uint64_t now = clock_monotonic_ns();

	progress_begin(&t->progress, run->progress, now,
		run->options.duration_ns ? now + run->options.duration_ns : UINT64_MAX);
	progress_step(&t->progress, now);
	run_so_far_begin(&t->so_far, run->so_far, run->output, now);
}

static int run_live(const struct run *run, struct told *t, struct sooth_error *err)
{
	struct sooth_observer *o = NULL;
	struct sooth_error ignored;
	bool was_launched;
	int status;

	begin_progress(run, t);
	status = make_observer(run, &o, err);
	if (!status && run->output->save)
		status = sooth_observer_save(o, run->output->save, err);
	if (run->extension.take)
		sooth_report_on_record(t->report, run->extension.take, run->extension.user);
	if (!status)
		status = sooth_observer_connect_report(o, t->report, err);
	if (!status)
		status = sooth_observer_start(o, err);
	was_launched = !status && run->arguments->command;
	if (was_launched && run->launched)
		*run->launched = sooth_observer_child_pid(o);
	if (!status)
		status = observe_run(run, t, o, err);
	if (!status)
		status = finish_all(run, t, err);
	/* The reader of the report may be gone: the command still runs on, and sooth exits with its
	 * status. */
	if (status == -EPIPE && was_launched)
		sooth_observer_stop(o, SOOTH_END_STOPPED, &ignored);
	if ((!status || status == -EPIPE) && was_launched)
		status = child_exit(o);
	sooth_observer_free(o);
	return status;
}

/* Reports damage before the report, which then covers only a part. A recording without its end is
 * complete up to there, and no failure. */
int run_damage(const struct sooth_report *r, const char *path)
{
	struct buffer line = { 0 };

	report_damage(r, &line);
	if (line.size)
		fprintf(stderr, "sooth: %s is %s\n", path, buffer_cstr(&line));
	buffer_fini(&line);
	return report_is_damaged(r) ? EXIT_DAMAGED : 0;
}

static int run_capture(
	const struct run *run, struct told *t, const char *path, struct sooth_error *err)
{
	int status, damage = 0;

	if (run->output->save) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --save with a capture");
		error_why(err, "the input is a capture already");
		return error_remedy(err, "copy the capture file with cp, or leave out --save");
	}
	path = explaining_begin(path);
	status = target_found_select(run->found, &run->target->part, t->report, err);
	for (size_t i = 0; i < RUN_SIDES && !status; i++) {
		if (t->sides[i].report)
			status = target_found_select(
				run->found, &run->target->part, t->sides[i].report, err);
	}
	if (t->page.report && !status)
		status = target_found_select(run->found, &run->target->part, t->page.report, err);
	if (!status)
		status = run->survey ? report_read_survey(t->report, path, run->survey, err)
				     : sooth_report_read(t->report, path, err);
	if (!status)
		damage = run_damage(t->report, path);
	if (!status)
		status = finish_all(run, t, err);
	return status ? status : damage;
}

static int run_history(const struct run *run, struct told *t, struct sooth_error *err)
{
	int status = history_feed(t->report, run->history.folder, run->history.from_utc_ns, err);

	return status ? status : finish_all(run, t, err);
}

static int refuse_shared_output(const char *what, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write the %s to standard output", what);
	error_why(err, "the launched command writes to standard output too, and both would be "
		       "mixed");
	return error_remedy(err, "write the %s to a file: give a file name instead of -", what);
}

static bool is_same_name(const char *a, const char *b)
{
	return a && b && (!strcmp(a, b) || (!is_standard_output(a) && file_is_same(a, b)));
}

/* Checks what written_check() cannot see: derived names, and the user of standard output. */
static int check_side(
	const struct run *run, const struct run_side_output *side, struct sooth_error *err)
{
	const char *save = run->output->save, *beside = side->beside_path;

	if (is_same_name(save, side->path) || is_same_name(save, beside))
		return written_refuse_pair(save, err);
	if (beside && written_check_one(beside, run->arguments, false, err))
		return -EINVAL;
	if (run->arguments->command && is_standard_output(side->path))
		return refuse_shared_output("lines", err);
	return 0;
}

static int check_outputs(const struct run *run, struct sooth_error *err)
{
	const char *save = run->output->save;
	const char *report = run->output->output ? run->output->output : "-";
	bool has_report = !run->is_silent && !is_standard_output(run->product.path);
	int status = 0;

	if (has_report && is_same_name(save, report))
		return written_refuse_pair(save, err);
	if (run->arguments->command && is_standard_output(save))
		return refuse_shared_output("capture", err);
	for (size_t i = 0; i < RUN_SIDES && !status; i++)
		status = check_side(run, side_of(run, i), err);
	return status;
}

static int open_files(const struct run *run, struct told *t, struct sooth_error *err)
{
	int status = check_outputs(run, err);

	if (!status && run->output->output && !run->is_silent)
		status = out_file_open(&t->file, run->output->output, false, err);
	for (size_t i = 0; i < RUN_SIDES && !status; i++) {
		const struct run_side_output *side = side_of(run, i);

		if (side->path)
			status = out_file_open(&t->sides[i].file, side->path, false, err);
		if (!status && side->beside_path)
			status = out_file_open(&t->sides[i].beside, side->beside_path, false, err);
	}
	return status;
}

/* Reports what would be attached, to standard output: no file or socket of the command is made. */
static int print_dry_run(const struct run *run, struct sooth_error *err)
{
	struct output_options output = *run->output;
	struct sooth_observer *o = NULL;
	int status;

	if (run->found->capture) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --dry-run with a capture");
		error_why(err, "nothing is attached for a capture");
		return error_remedy(err, "leave out --dry-run");
	}
	output.output = output.save = NULL;
	status = make_observer(run, &o, err);
	if (!status)
		status = dry_run_report(&output, o, err);
	sooth_observer_free(o);
	return status;
}

static int observe_found(const struct run *run, struct sooth_error *err)
{
	const char *capture = run->found->capture;
	struct told t = { 0 };
	int status;

	if (run->options.dry_run)
		return print_dry_run(run, err);
	if (!capture && !run->history.is_read)
		stop_catch(); /* not for files: a signal may end these */
	if (!capture && run->found->note.size)
		fwrite(run->found->note.data, 1, run->found->note.size, stderr);
	control_run_init(&t.control);
	status = open_files(run, &t, err);
	if (!status && run->options.control && !capture)
		status = control_open(&t.control.control, run->options.control, err);
	if (!status)
		status = make_report(run, &t, err);
	if (!status)
		status = make_side_outputs(run, &t, err);
	if (!status)
		status = run->history.is_read ? run_history(run, &t, err)
			 : capture	      ? run_capture(run, &t, capture, err)
					      : run_live(run, &t, err);
	progress_end(&t.progress);
	control_run_close(&t.control);
	alerts_fini(&t.alerts);
	sooth_report_free(t.report);
	held_fini(&t.held);
	out_file_close(&t.file);
	for (size_t i = 0; i < RUN_SIDES; i++) {
		sooth_report_free(t.sides[i].report);
		out_file_close(&t.sides[i].file);
		out_file_close(&t.sides[i].beside);
	}
	free_page(&t.page);
	return status;
}

int run_report(const struct run *run, struct sooth_error *err)
{
	assert(run);

	struct target_found found = { 0 };
	struct run resolved = *run;
	int status = 0;

	if (!run->found) {
		status = target_find(run->target, run->arguments, run->allowed, &found, err);
		resolved.found = &found;
	}
	if (!status)
		status = observe_found(&resolved, err);
	if (!status && resolved.found->missing)
		status = EXIT_MISSING;
	target_found_fini(&found);
	return status;
}
