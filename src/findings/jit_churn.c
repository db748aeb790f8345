/* SPDX-License-Identifier: BSD-2-Clause */
/* jit-churn: a runtime spends most of its CPU time on parsing and compiling code, long after its
 * start: the program makes new code all the time (eval, new Function, templates, generated
 * classes), or what the compiler made is thrown away again and again. A starting process compiles
 * as much, and is healthy; on a busy host a start takes minutes: so the process has to be older, in
 * time and in CPU time. */
#include "analyze/evidence/batch_program.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/work_share.h"
#include "base/units.h"
#include "explain/finding.h"

static const struct finding_option options[] = {
	THRESHOLD("min-cpu", 50, 1, 1e5,
		"minimum CPU use of the process, in percent of one CPU; time in which its threads "
		"are ready to run counts too",
		.unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("min-share", 40, 1, 100,
		"minimum share of the sampled CPU time that compiling uses",
		.unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("min-age", 30e9, 0, 1e15,
		"minimum process age, and minimum CPU time that it has used",
		.unit = SOOTH_UNIT_NS),
};

static void report(const struct check *e, struct check_result *out, const struct work_share *w)
{
	struct buffer place = { 0 };

	work_put_place(&place, e);
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(out,
		"spends %.0f %% of its CPU time on compiling code: it makes new code all the "
		"time%s",
		w->percent, buffer_cstr(&place));
	buffer_fini(&place);
	work_emit(w, out, "compiling");
	finding_unseen(out, "which code it compiles");
	finding_remedy(out,
		"sooth profile %u shows the callers: keep what eval, new Function, compile() or a "
		"template engine made, instead of making it again each time",
		e->id.pid);
	finding_end(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct work_share w;

	if (e->process && batch_program_computes(check_name(e->process)))
		check_fine(out, "compiles, as this program does");
	else if (!work_share_of(&w, e, out, PROFILE_WORK_COMPILING) ||
		 !work_is_most(&w, e, out, "compiling"))
		return;
	else if ((double)check_age_ns(e) < check_option(e, "min-age"))
		check_too_young(out);
	else if (e->process && (double)e->process->process->cpu_ns < check_option(e, "min-age"))
		check_blind_by(out, FINDING_YOUNG,
			"it has used no more CPU time than a start may take", "try again later");
	else
		report(e, out, &w);
}

const struct finding_type finding_jit_churn = {
	.id = "jit-churn",
	.claim = "compiling code uses most of the CPU time",
	.probes = "proc,threads,profile",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
