/* SPDX-License-Identifier: BSD-2-Clause */
/* hot-function: one function uses most of the CPU time of a process that others wait for: a regular
 * expression that goes back and back, a list that is searched from its start each time, a copy of
 * everything on each request. A process that computes by its nature is healthy, and so is a
 * command: it was started to compute. cpu-spin reports a thread that shows no progress at all, and
 * names its function too. */
#include <string.h>

#include "analyze/evidence/batch_program.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/scripts.h"
#include "analyze/evidence/work_share.h"
#include "analyze/profile/profile_hot.h"
#include "analyze/profile/profile_regexp.h"
#include "analyze/profile/profile_task.h"
#include "base/cleanup.h"

static const struct finding_option options[] = {
	PERCENT_THRESHOLD("min-cpu", 50, 1, 1e5,
		"minimum CPU use of the process, in percent of one CPU; time in which its threads "
		"are ready to run counts too"),
	PERCENT_THRESHOLD("min-share", 50, 1, 100,
		"minimum share of the samples that have the function on top"),
	THRESHOLD("min-samples", 50, 10, 1e9, "minimum number of samples of the process"),
};

struct hot {
	struct work_cpu process;
	struct profile_hot function; /* function of a script or of user space with most samples */
	uint64_t samples;
};

static void find_hot(struct hot *h, const struct check *e)
{
	_cleanup_(buffer_fini) struct buffer all = { 0 };

	*h = (struct hot){ 0 };
	work_cpu_of(&h->process, e);
	h->samples = profile_hot_functions(&e->input->profile, &e->id, PROFILE_IN_SCRIPT, &all);
	if (all.size)
		h->function = *(const struct profile_hot *)(const void *)all.data;
}

/* Returns the share of the function without its time in the kernel: a server that sends much is in
 * write() most of the time. */
static double share_of(const struct hot *h)
{
	uint64_t own = h->function.samples - h->function.kernel_samples;

	return h->samples ? 100.0 * (double)own / (double)h->samples : 0;
}

/* Returns whether the function is the loop of an interpreter, which is on top whatever the script
 * does. */
static bool is_interpreter(struct span name)
{
	static const char *const names[] = { "_PyEval_EvalFrameDefault", "luaV_execute",
		"vm_exec_core", "execute_ex", "Perl_runops_standard", "execute_command_internal",
		"Interpreter", "Builtins_InterpreterEntryTrampoline", "JS_CallInternal" };

	return SPAN_ANY(name, span_equal, names);
}

static bool is_explained(const struct check *e)
{
	return check_has_finding(e, "cpu-spin") || check_has_finding(e, "gc-pressure");
}

static void report_function(const struct check *e, struct check_result *out, const struct hot *h)
{
	const struct profile_hot *f = &h->function;
	_cleanup_(buffer_fini) struct buffer name = { 0 }, script = { 0 };
	struct profile_spots spots = { 0 };
	bool is_within;

	profile_spots(&e->input->profile, &e->id, &spots);
	buffer_format(&name, "%.*s (%.*s)", SPAN_ARGS(f->name), SPAN_ARGS(f->file));
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	is_within =
		spots.within.size && strcmp(buffer_cstr(&spots.within), buffer_cstr(&name)) != 0;
	buffer_string(&script, profile_hot_is_regexp(f) ? "" : script_code_meaning(f->name));
	script_code_put(&script, e->process);
	finding_claim(out, "spends %.0f %% of its CPU time in %s%s%s%s%s", share_of(h),
		profile_hot_is_regexp(f) ? "a regular expression called by " : "one function: ",
		buffer_cstr(&name), is_within && !spots.is_within_loop ? ", within " : "",
		is_within && !spots.is_within_loop ? buffer_cstr(&spots.within) : "",
		buffer_cstr(&script));
	finding_percent(out, "CPU", h->process.cpu, h->process.interval_ns);
	finding_text(out, "function", "%s: %.0f %% of %llu samples", buffer_cstr(&name),
		share_of(h), (unsigned long long)h->samples);
	if (is_within)
		finding_text(out, "common caller", "%s: %s", buffer_cstr(&spots.within),
			buffer_cstr(&spots.of_within));
	if (spots.next.size)
		finding_text(out, "next hottest functions", "%s", buffer_cstr(&spots.next));
	finding_unseen(out, "whether the result of that function is useful");
	if (profile_hot_is_regexp(f))
		finding_remedy(out, "%s; sooth profile --tree %u shows its callers",
			PROFILE_REGEXP_REMEDY, e->id.pid);
	else
		finding_remedy(out, "sooth profile --tree %u shows its callers", e->id.pid);
	profile_spots_fini(&spots);
}

static void report_task(const struct check *e, struct check_result *out, const struct hot *h,
	const struct profile_task *task)
{
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(out, "spends %.0f %% of its CPU time in %s%s%s",
		100.0 * (double)task->samples / (double)task->of_samples, task->text,
		task->effect ? ": " : "", task->effect ? task->effect : "");
	finding_percent(out, "CPU", h->process.cpu, h->process.interval_ns);
	finding_text(out, "samples in it", "%llu of %llu", (unsigned long long)task->samples,
		(unsigned long long)task->of_samples);
	finding_unseen(out, "whether its result is useful, and which client asked for it");
	finding_remedy(
		out, "%s; sooth profile --tree %u shows its callers", task->remedy, e->id.pid);
}

static bool is_awaited(const struct check *e)
{
	return work_is_awaited(e) && !batch_program_computes(check_name(e->process));
}

static bool find_task(struct profile_task *task, const struct check *e)
{
	if (is_explained(e) || !is_awaited(e))
		return false;
	*task = profile_task_find(&e->input->profile, &e->id);
	return task->text;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct profile_task task;
	struct hot h;

	find_hot(&h, e);
	if (!h.process.is_measured)
		check_blind(out, thread_histories_uncounted(&e->input->threads, &e->id));
	else if (!check_is_over(e, "min-cpu", h.process.demand, ""))
		check_fine(out, "uses %.0f %% of a CPU", h.process.cpu);
	else if (h.samples < check_option(e, "min-samples"))
		check_blind_because(out, "too few stacks were sampled", CHECK_LONGER);
	else if (find_task(&task, e))
		report_task(e, out, &h, &task);
	else if (share_of(&h) < check_option(e, "min-share") || !h.function.is_named ||
		 is_interpreter(h.function.name))
		check_fine(out, "hottest function: %.0f %% of its CPU time", share_of(&h));
	else if (is_explained(e))
		check_fine(out, "its hottest function stands in another finding");
	else if (!is_awaited(e))
		check_fine(out, "a command that computes");
	else
		report_function(e, out, &h);
}

const struct finding_detector finding_hot_function = { diagnose, FINDING_OPTIONS(options) };
