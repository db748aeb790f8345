/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a check if it has the probes that it needs, and says what it lacks. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/check.h"

#define CALLS_REMEDY "run as root: sooth diagnose"

/* Finds the first of some probes that was not recorded for the process, and copies its name. */
static bool lacks_probe(const struct check *e, const char *probes, char name[32])
{
	const char *at = probes;

	while (*at) {
		size_t size = strcspn(at, ",");

		snprintf(name, 32, "%.*s", (int)size, at);
		if (!diagnosis_input_has_probe(e->input, name) ||
			(!strcmp(name, "syscalls") && map_get(&e->input->calls_refused, &e->id)))
			return true;
		at += size + (at[size] == ',');
	}
	return false;
}

/* Reports that the system refused a probe. False: it did not, or this is not known. */
static bool report_refusal(struct check_result *out, const char *probe)
{
	const struct check *e = out->of;
	bool is_of_calls = !strcmp(probe, "syscalls");
	const char *reason = NULL;

	if (e->input->are_calls_refused)
		reason = is_of_calls ? "sooth may not observe system calls here"
			 : !strcmp(probe, "short_lived")
				 ? "sooth may not observe how processes end here"
				 : NULL;
	else if (is_of_calls && map_get(&e->input->calls_refused, &e->id))
		reason = "sooth may not observe the system calls of this process";
	if (e->input->are_samples_refused && !strcmp(probe, "profile"))
		reason = "sooth may not sample stacks here";
	if (reason)
		check_blind_by(out, FINDING_REFUSED, reason, CALLS_REMEDY);
	return reason;
}

/* Takes back that nothing is wrong, said since the buffer `fine` had this size, if the system
 * refused a probe that shows other forms of the finding. */
static void doubt_fine(struct check_result *out, size_t fine_before)
{
	char probe[32];

	if (out->found || out->muted || out->fine->size == fine_before || !out->of->type->also ||
		!lacks_probe(out->of, out->of->type->also, probe))
		return;
	if (report_refusal(out, probe))
		out->fine->size = fine_before;
}

bool check_has_probes(struct check_result *out)
{
	char probe[32], reason[96];

	assert(out);
	if (!lacks_probe(out->of, out->of->type->probes, probe))
		return true;
	if (report_refusal(out, probe))
		return false;
	snprintf(reason, sizeof(reason), "this check needs the probe `%s`, which was not recorded",
		probe);
	if (!strcmp(probe, "syscalls"))
		check_blind_by(out, FINDING_NOT_REQUESTED, reason, CALLS_REMEDY);
	else if (!strcmp(probe, "heap"))
		check_blind_by(out, FINDING_ON_REQUEST, reason, "observe allocations too: --heap");
	else if (!strcmp(probe, "malloc")) /* captures of older versions lack it */
		check_blind_by(out, FINDING_INAPPLICABLE, reason, "");
	else /* Only captures of older versions and watches lack waits: no option requests them. */
		check_blind_by(out,
			strcmp(probe, "waits") ? FINDING_NOT_REQUESTED : FINDING_UNDECIDED, reason,
			"");
	return false;
}

/* Returns whether the process was a zombie at the last sample; a zombie thread is not enough. */
static bool is_zombie(const struct check *e)
{
	const struct process_entry *p = e->process;

	return p && p->is_there && p->zombie_ns && p->process->threads <= 1;
}

/* Returns the observed time before the process became a zombie. */
static uint64_t alive_ns(const struct check *e)
{
	struct sample_series alive = e->series;

	while (is_zombie(e) && alive.count && alive.points[alive.count - 1].state == 'Z')
		alive.count--;
	return sample_series_ns(&alive);
}

/* Returns whether system calls were recorded while the process ran: they remain valid. */
static bool has_recorded_calls(const struct check *e)
{
	return strstr(e->type->probes, "syscalls") && e->series.count &&
	       e->series.points[0].state != 'Z';
}

/* Diagnoses, and reports "ended" for a zombie without a finding: only its exit can be checked,
 * because everything else was gone before it was sampled. */
static void diagnose_rest(const struct check *e, struct check_result *out)
{
	size_t before = out->fine->size;

	if (!e->type->reads_calls || check_calls_begin(e, out))
		e->type->detector->diagnose(e, out);
	check_end_finding(out);
	if (!is_zombie(e) || e->type->diagnoses_gone || has_recorded_calls(e) || out->found ||
		out->muted)
		return;
	if (out->fine->size > before || !out->is_reported) {
		out->fine->size = before;
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	}
}

static void run_check(const struct check *e, struct check_result *out)
{
	bool has_ended = e->process && (is_zombie(e) || !e->process->is_there);
	const char *instead = e->type->instead;
	/* In a single look the age of a wait stands for the interval. */
	bool has_age = e->is_one_look && e->type->is_of_holder && strstr(e->type->probes, "waits");
	size_t fine_before = out->fine->size;

	if (e->is_one_look && e->process && e->process->is_there &&
		e->type->detector->diagnose_once && e->type->detector->diagnose_once(e, out)) {
		check_end_finding(out);
		return;
	}
	if (!(instead && diagnosis_input_has_probe(e->input, instead)) && !check_has_probes(out))
		return;
	if (e->type->needs_interval && e->id.pid && !has_age &&
		(e->is_one_look || check_is_short(alive_ns(e)))) {
		check_blind(out,
			SOOTH_NOT_MEASURED(has_ended ? SOOTH_REASON_ENDED : SOOTH_REASON_INTERVAL));
		return;
	}
	if (e->type->needs_running && e->id.pid && (!e->process || !e->process->is_there)) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	diagnose_rest(e, out);
	doubt_fine(out, fine_before);
	if (!out->found && !out->muted && !out->is_reported)
		check_fine(out, "%s", "");
}

void check_run(struct check *e, struct check_result *out, const struct finding_entry *entry,
	const struct check_setting *setting)
{
	assert(e->input);
	e->type = entry->type;
	e->setting = setting;
	e->findings = out->findings;
	out->of = e;
	out->found = out->muted = 0;
	out->is_reported = out->is_open = false;
	run_check(e, out);
	out->muted_all += out->muted;
}
