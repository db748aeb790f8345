/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth diff: compares two captures side by side, and shows changes beyond noise. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/comparison/comparison.h"
#include "analyze/calls/syscall_folded.h"
#include "analyze/profile/profile_table.h"
#include "base/same_file.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/diagnosing.h"
#include "cli/output/output.h"
#include "cli/output/own_report.h"
#include "cli/picture.h"
#include "cli/rights/explaining.h"
#include "cli/run.h"
#include "cli/selected/target_found.h"
#include "explain/report.h"

#define EXIT_CHANGED 1

struct diff_config {
	struct output_options output;
	struct picture_options picture;
	struct target_options target; /* processes of each capture */
	struct {
		double noise_percent;
		bool fails;
	} diff;
};

static const struct option diff_options[] = {
	VALUE_ROW(0, "noise", REAL, "PERCENT", diff_config, diff.noise_percent,
		"differences up to this percentage of the larger value count as noise (default: "
		"10)",
		.min = 1, .max = 100),
	FLAG_ROW(0, "fail-on-change", diff_config, diff.fails,
		"exit with status 1 if anything changed"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Comparison", diff_options, 0),
	TARGET_GROUP(struct diff_config, target),
	PICTURE_GROUP(struct diff_config, picture),
	OUTPUT_GROUP(struct diff_config, output),
	FILE_GROUP(struct diff_config, output),
};

static const struct option_rule rules[] = {
	{ OPTION_NEEDS, "weight", "flamegraph",
		"this option sets how the picture of --flamegraph looks", NULL },
};

struct both {
	const struct target_options *target;
	struct comparison_side *sides; /* the two captures */
	double share;
	struct comparison_reported told;
	struct call_graph graphs[2];   /* call graphs of calls */
	struct call_graph profiles[2]; /* call graphs of samples */
	uint64_t periods_ns[2];	       /* CPU time between two samples */
	uint64_t unfinished[2];	       /* calls without a result, in no graph */
	bool is_of_samples;	       /* the picture shows samples, not calls */
	int damage;		       /* EXIT_DAMAGED: one of the captures is damaged */
	struct call_graph_look look;
	struct check_settings settings;
};

/* Selects the processes of one capture: its PIDs are not those of the other capture. */
static int select_processes(const struct target_options *target, const char *file,
	struct sooth_report *report, struct sooth_error *err)
{
	const struct arguments none = { 0 };
	struct target_found found = { 0 };
	int status = target_find_in(target, file, &none, &found, err);

	if (!status)
		status = target_found_select(&found, &target->part, report, err);
	target_found_fini(&found);
	return status;
}

/* Reads one capture as `sooth report` and `sooth diagnose` do, and its calls as stacks if
 * requested. */
static int read_side(struct both *b, size_t i, bool has_graphs, struct sooth_error *err)
{
	struct comparison_side *side = &b->sides[i];
	struct findings_options diagnosis = { .settings = &b->settings };
	struct syscall_folded_options stacks = { .keep = &b->graphs[i],
		.unfinished = &b->unfinished[i] };
	struct profile_options samples = { .keep = &b->profiles[i],
		.period_ns = &b->periods_ns[i] };
	struct sooth_report *report;
	int status = sooth_report_new(&report, "diff", err);

	if (status)
		return status;
	sooth_report_add_default_views(report);
	sooth_report_on_record(report, comparison_add_row, side);
	status = report_add_sink_type(
		report, &comparison_sink, &(struct sink_options){ .user = side }, err);
	if (!status)
		status = sooth_report_add_view(report, "findings", &diagnosis, err);
	if (!status && has_graphs)
		status = sooth_report_add_view(report, "syscall-folded", &stacks, err);
	if (!status && has_graphs)
		status = sooth_report_add_view(report, "profile-stacks", &samples, err);
	side->file = explaining_begin(side->file);
	if (!status)
		status = select_processes(b->target, side->file, report, err);
	if (!status)
		status = sooth_report_read(report, side->file, err);
	if (!status)
		status = sooth_report_finish(report, err);
	side->has_losses |= !status && report_is_partial(report);
	if (!status && run_damage(report, side->file))
		b->damage = EXIT_DAMAGED;
	sooth_report_free(report);
	return status;
}

static int check_arguments(const struct arguments *arguments, struct sooth_error *err)
{
	if (arguments->count != 2 || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "compare without two captures");
		error_why(err, "`sooth diff` needs the names of two captures");
		return error_remedy(err, "name two captures: sooth diff FIRST.sooth SECOND.sooth");
	}
	if (!strcmp(arguments->items[0], arguments->items[1]) ||
		file_is_same(arguments->items[0], arguments->items[1])) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "compare %s with itself",
			arguments->items[0]);
		error_why(err, "both names refer to the same file");
		return error_remedy(
			err, "name two different captures: sooth diff FIRST.sooth SECOND.sooth");
	}
	return 0;
}

static int show_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	output_show_record(user, schema, record);
	return 0;
}

/* Reads a capture once more, because the format has to know its records. */
static int show_records(struct output *o, const char *file, struct sooth_error *err)
{
	struct sooth_report *report;
	int status = sooth_report_new(&report, "diff", err);

	if (status)
		return status;
	sooth_report_on_record(report, show_record, o);
	status = sooth_report_read(report, file, err);
	sooth_report_free(report);
	return status;
}

static int emit_comparison(struct output *o, void *user, struct sooth_error *err)
{
	struct both *b = user;
	int status = 0;

	for (size_t i = 0; i < 2 && !status && output_takes_records(o); i++)
		status = show_records(o, b->sides[i].file, err);
	return status ? status
		      : comparison_emit(o, &b->sides[0], &b->sides[1], b->share, &b->told, err);
}

/* --- the picture --- */

static double seconds_of(const struct comparison_side *side)
{
	return (double)comparison_side_ns(side) / (double)NS_PER_S;
}

static void emit_losses(struct output *o, const struct comparison_side *side, bool is_of_samples)
{
	char what[160], reason[128];

	if (!side->has_losses)
		return;
	snprintf(what, sizeof(what), "all %s of %s", is_of_samples ? "samples" : "calls",
		side->file);
	if (side->lost)
		snprintf(reason, sizeof(reason), "%llu records of this capture were lost",
			(unsigned long long)side->lost);
	else
		snprintf(reason, sizeof(reason),
			"records of this capture were lost, or it was cut off (number unknown)");
	output_limit(o, what, reason, "`sooth report FILE.sooth` shows the losses");
}

/* Returns the scale of the second capture: counts are scaled to the time that it was observed, and
 * samples to its rate. */
static double scale_of(const struct both *b)
{
	double first = seconds_of(&b->sides[0]), second = seconds_of(&b->sides[1]);
	double scale = first > 0 && second > 0 ? second / first : 1;

	if (b->is_of_samples && b->look.value == CALL_GRAPH_CALLS && b->periods_ns[1])
		scale *= (double)b->periods_ns[0] / (double)b->periods_ns[1];
	return scale;
}

/* Appends a side of the comparison: "a.sooth (403 samples at 99 Hz)". */
static void put_side(struct buffer *out, const struct both *b, size_t i)
{
	const struct call_graph *g = b->is_of_samples ? &b->profiles[i] : &b->graphs[i];
	uint64_t count = 0;

	for (size_t n = 0; n < call_graph_count(g); n++)
		count += call_graph_node(g, n)->own.of[CALL_GRAPH_CALLS];
	buffer_format(out, "%s (%llu %s%s", b->sides[i].file, (unsigned long long)count,
		b->is_of_samples ? "sample" : "call", count == 1 ? "" : "s");
	if (b->is_of_samples && b->periods_ns[i])
		buffer_format(out, " at %.0f Hz", (double)NS_PER_S / (double)b->periods_ns[i]);
	buffer_format(out, ", %llu %s lost)", (unsigned long long)b->sides[i].lost,
		b->sides[i].lost == 1 ? "record" : "records");
}

static int emit_graphs(struct output *o, void *user, struct sooth_error *err)
{
	struct both *b = user;
	char about[240], observed[UNITS_SIZE], taken[UNITS_SIZE];
	struct call_graph_comparison c = { .a = b->is_of_samples ? &b->profiles[0] : &b->graphs[0],
		.b = b->is_of_samples ? &b->profiles[1] : &b->graphs[1],
		.a_scale = scale_of(b),
		.is_of_samples = b->is_of_samples,
		.noise_share = b->share };
	struct call_graph_look look = b->look;
	struct buffer origin = { 0 };
	int status;

	put_side(&origin, b, 0);
	buffer_string(&origin, ", then ");
	put_side(&origin, b, 1);
	snprintf(about, sizeof(about),
		"the larger of both; first observed for %s and scaled to %s as the second; %s",
		format_ns(observed, comparison_side_ns(&b->sides[0])),
		format_ns(taken, comparison_side_ns(&b->sides[c.a_scale != 1])),
		b->is_of_samples ? "process, role of the thread, functions"
				 : "processes of a name, threads, category, call, file or peer");
	look.title = b->is_of_samples ? "CPU" : "system calls";
	look.origin = buffer_cstr(&origin);
	look.about = about;
	emit_losses(o, &b->sides[0], b->is_of_samples);
	emit_losses(o, &b->sides[1], b->is_of_samples);
	for (size_t i = 0; i < 2; i++)
		syscall_folded_emit_unfinished(o, b->unfinished[i], b->sides[i].file);
	status = call_graph_compare(&c, &look, o, err);
	buffer_fini(&origin);
	return status;
}

static int refuse_without_stacks(const struct both *b, struct sooth_error *err)
{
	size_t empty = call_graph_count(&b->graphs[0]) > 1 || call_graph_count(&b->profiles[0]) > 1;

	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "draw a flamegraph of %s", b->sides[empty].file);
	error_why(err,
		"this capture has no system calls, and one of the two captures has no samples");
	return error_remedy(err, "record both captures with the same command: sooth trace --save "
				 "FILE.sooth PID, or sooth profile --save FILE.sooth PID");
}

static bool have_both_stacks(const struct call_graph graphs[2])
{
	return call_graph_count(&graphs[0]) > 1 && call_graph_count(&graphs[1]) > 1;
}

static int draw_graphs(struct both *b, struct picture_files *files, struct sooth_error *err)
{
	struct own_file own[] = { { files->picture, "flamegraph", .is_picture = true },
		{ buffer_cstr(&files->folded), "folded", .is_picture = false } };

	b->is_of_samples = !have_both_stacks(b->graphs);
	if (b->is_of_samples && !have_both_stacks(b->profiles))
		return refuse_without_stacks(b, err);
	return own_report_write("diff", own, files->folded.size ? 2 : 1, emit_graphs, b, err);
}

/* --- running --- */

static int read_sides(
	struct both *b, const char *const *names, bool has_graphs, struct sooth_error *err)
{
	int status = diagnosing_settings(&b->settings, NULL, err);

	for (size_t i = 0; i < 2 && !status; i++) {
		b->sides[i].file = names[i];
		if (has_graphs &&
			(call_graph_init(&b->graphs[i]) || call_graph_init(&b->profiles[i])))
			return error_no_memory(err);
		status = read_side(b, i, has_graphs, err);
	}
	return status;
}

/* Emits the comparison. If the picture goes to standard output, no report is printed. */
static int emit_both(struct picture_files *files, struct both *b, struct sooth_error *err)
{
	int status = 0;

	if (files->picture)
		status = draw_graphs(b, files, err);
	if (!status && !(files->picture && !strcmp(files->picture, "-")))
		status = own_report_emit("diff", &files->report, emit_comparison, b, err);
	return status;
}

static int run_diff(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct diff_config *c = config;
	struct both b = { .target = &c->target,
		.share = (c->diff.noise_percent > 0 ? c->diff.noise_percent : 10) / 100,
		.look = picture_look(&c->picture, CALL_GRAPH_CALLS) };
	struct picture_files files;
	int status = check_arguments(arguments, err);

	if (status)
		return status;
	status = picture_files(&files, &c->picture, &c->output, err);
	if (!status && files.folded.size)
		status = written_check_one(buffer_cstr(&files.folded), arguments, true, err);
	if (status) {
		picture_files_fini(&files);
		return status;
	}
	b.sides = calloc(2, sizeof(*b.sides));
	status = b.sides ? read_sides(&b, (const char *const *)arguments->items,
				   files.picture != NULL, err)
			 : error_no_memory(err);
	if (!status)
		status = emit_both(&files, &b, err);
	for (size_t i = 0; i < 2; i++) {
		if (b.sides)
			comparison_side_fini(&b.sides[i]);
		call_graph_fini(&b.graphs[i]);
		call_graph_fini(&b.profiles[i]);
	}
	free(b.sides);
	picture_files_fini(&files);
	if ((!status || status == -EPIPE) && c->diff.fails &&
		b.told.changed + b.told.appeared + b.told.vanished)
		status = EXIT_CHANGED;
	return status ? status : b.damage;
}

const struct command command_diff = {
	.main_options = "noise,fail-on-change,flamegraph,weight,json,filter,output",
	.name = "diff",
	.summary = "compare two captures",
	.usage = "FIRST.sooth SECOND.sooth [--noise PERCENT] [--fail-on-change] [--from TIME] "
		 "[--to TIME] [-j] [-o FILE]",
	.about = "Compares two captures: for every table of `sooth report` and every finding of\n"
		 "`sooth diagnose`, what changed by more than noise, what is new and what is gone. "
		 "Processes are\n"
		 "matched by agent, role and project, or by name. A target, --from and --to apply "
		 "to each\n"
		 "capture; times count from the start or end of that capture.",
	.examples = "  sooth diff before.sooth after.sooth\n"
		    "  sooth diff --fail-on-change good.sooth now.sooth   for scripts\n"
		    "  sooth diff --from 10s a.sooth b.sooth              without their first ten "
		    "seconds\n"
		    "  sooth diff --flamegraph -o x.svg a.sooth b.sooth   the calls, or the "
		    "samples, of both, drawn\n",
	COMMAND_GROUPS(groups),
	.reads_numbers = true,
	OPTION_RULES(rules),
	.config_size = sizeof(struct diff_config),
	.run = run_diff,
};
