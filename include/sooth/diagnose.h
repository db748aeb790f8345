/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Diagnoses a process: the findings of `sooth diagnose`.
 *
 *	struct sooth_table *findings = sooth_diagnose(pid, NULL, NULL);
 *
 *	for (const struct sooth_row *f = NULL; (f = sooth_table_next(findings, f));)
 *		printf("%s: %s\n", sooth_row_text(f, "id"), sooth_row_text(f, "claim"));
 *	sooth_table_free(findings);
 */
#ifndef SOOTH_DIAGNOSE_H
#define SOOTH_DIAGNOSE_H

#include <stdint.h>
#include <sys/types.h>

#include <sooth/error.h>
#include <sooth/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed fields mean the default; `size` is sizeof(struct sooth_diagnose_options). */
struct sooth_diagnose_options {
	size_t size;
	uint64_t duration_ns; /* 0: 5 s; at least 10 ms */
	/* Only read: observe no system calls and sample no stacks, even if that is permitted. */
	bool is_passive;
	/* Further options; NULL: defaults. Times in them are not used. */
	const struct sooth_observer_options *observer;
	/* Receives a table of the checks that could not be made, or NULL on failure. The caller
	 * frees it. The columns are "id", "cause", "reason", "remedy". NULL: not requested. */
	struct sooth_table **unseen;
	/* Receives a table of the answers that the command prints, or NULL on failure. The caller
	 * frees it. It has a row for each cause, worst first: "id" (of a finding, or "wait",
	 * "needs-user", "activity"), "severity", "confidence", "text", "remedy" and others, as in
	 * answers[] of `sooth diagnose -j`. NULL: not requested. */
	struct sooth_table **answers;
};

/*
 * Returns a table with a row for each finding: "severity", "id", "pid", "claim", "evidence",
 * "remedy" and others; docs/findings has a page for each id. "pid" has no value if the finding is
 * about the host. An empty table: the checks that could be made found nothing; options->unseen has
 * the other checks. Remedies are for a person, and name commands and options of the program sooth.
 * `options` may be NULL. Returns NULL on failure; `err` says why.
 *
 * Blocks for the duration. System calls and stacks are observed if the caller may do that (root, or
 * cap_bpf and cap_perfmon), else the checks that need them are left out. The process is not
 * stopped; if it ends early, the findings cover the time until then. The checks have their default
 * thresholds.
 */
struct sooth_table *sooth_diagnose(
	pid_t pid, const struct sooth_diagnose_options *options, struct sooth_error *err);

#ifdef __cplusplus
}
#endif
#endif
