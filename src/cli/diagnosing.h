/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings and steps that all ways to diagnose share: selecting processes, choosing probes, and
 * setting the detectors. */
#pragma once

#include "analyze/diagnosis/diagnosis_options.h"
#include "cli/config/labels.h"
#include "analyze/diagnosis/undecided.h"
#include "cli/run.h"
#define EXIT_LACKING 3 /* a privilege is missing, or the system cannot do it */

/* Why the system refused a probe, and what would allow it. */
struct diagnosing_refusal {
	char reason[512], remedy[256];
};

struct diagnosing {
	/* The command fills these members. */
	bool is_deep;	  /* slow details are read too */
	bool is_quick;	  /* one sample; a duration only serves to measure CPU use */
	bool is_passive;  /* attaches nothing to the kernel */
	bool only_given;  /* without the session of an agent, and the processes below a process */
	bool wants_calls; /* system calls of the selected processes are recorded too, where
			     permitted */
	bool may_go_on;	  /* may exceed the default duration, see undecided.h */
	bool insists_on_calls; /* the user requested calls: report if they are not permitted */
	bool wants_heap;       /* allocations of the selected processes */
	bool wants_samples;    /* the stacks of busy threads, even where that is not the default */
	bool needs_every_call; /* record each call, whatever that costs the target */
	const char *agent;     /* agent whose processes are selected; NULL: all agents */
	uint64_t duration_ns;  /* 0: the default */
	uint64_t watch_ns;     /* interval between repeated diagnoses; 0: once */
	const struct option_list *set; /* --set options; NULL: none */
	const char *bundle_path;       /* file of a report to share; NULL: none */

	/* diagnosing_begin() fills these members. */
	struct check_settings settings;
	struct labels labels;
	struct sockets_options peers;
	struct findings_options options;
	struct findings_reported told;
	struct findings_so_far so_far;
	const struct run *run;
	struct target_found found, whole;
	struct buffer selected; /* uint32_t */
	uint64_t arrivals;	/* observer_agent_arrivals() when agents were last listed */
	struct buffer gone;	/* uint32_t: selected PIDs that do not exist */
	char gone_text[256];
	bool has_missing;      /* one of several selected PIDs is unknown */
	bool is_gone;	       /* no selected PID exists: only the kernel log may have evidence */
	bool is_idle;	       /* no process was found: only the host is diagnosed, once */
	bool looks_for_keeper; /* allocations are observed once memory is seen to grow */
	bool has_calls;	       /* system calls are among the probes */
	struct diagnosing_refusal no_calls; /* without a reason: they were recorded */
	struct undecided longer;
	bool has_samples;		      /* stacks of busy threads are among the probes */
	struct diagnosing_refusal no_samples; /* without a reason: they were taken */
};

/* Fills the settings: defaults, which the user's file overrides, which `set` overrides (NULL:
 * none). */
int diagnosing_settings(
	struct check_settings *settings, const struct option_list *set, struct sooth_error *err);
/* Makes the options of a view for the first answer of a session or process. Sets `settings`, which
 * the result borrows. NULL: no memory, or wrong settings; `sooth diagnose` reports these. */
struct first_answers *diagnosing_first_answers(struct check_settings *settings);
/* Reads the user's settings, selects processes, and completes the run. */
int diagnosing_begin(struct diagnosing *d, struct run *run, struct sooth_error *err);
/* Call this after a failed run. If system calls were the reason, drops their probe, sets no_calls
 * for the report, and returns true: then the run may be repeated. */
bool diagnosing_without_calls(
	struct diagnosing *d, struct run *run, const struct sooth_error *refusal);
/* Does the same for the stacks of busy threads. */
bool diagnosing_without_samples(
	struct diagnosing *d, struct run *run, const struct sooth_error *refusal);
/* Returns exit status 3 if the user requested system calls that could not be observed, unless
 * `may_lack`; 4 if one of several PIDs does not exist. */
int diagnosing_exit(const struct diagnosing *d, bool may_lack);
void diagnosing_end(struct diagnosing *d);
