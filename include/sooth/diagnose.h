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
	/* Only read: observe no system calls and sample no stacks, where that would be permitted.
	 */
	bool is_passive;
	/* A struct sooth_observer_options for the rest, NULL: defaults. Times in it are not used.
	 */
	const struct sooth_observer_options *observer;
	/* Takes a table of the checks that could not be made, for the caller to free; NULL on
	 * failure: a row each, "id", "cause", "reason", "remedy". NULL: it is not wanted. */
	struct sooth_table **unseen;
	/* Takes a table of what the command would answer, for the caller to free; NULL on failure:
	 * a row for each cause, the worst first, "id" (of the finding; "wait", "needs-user",
	 * "activity"), "severity", "confidence", "text", "remedy" and others as in answers[] of
	 * `sooth diagnose -j`. NULL: it is not wanted. */
	struct sooth_table **answers;
};

/*
 * A row for each finding: "severity", "id", "pid", "claim", "evidence", "remedy" and others;
 * docs/findings has a page for each id. "pid" has no value where it is about the host. An empty
 * table: nothing was found, by the checks that could be made; options->unseen has the others.
 * Remedies are for a person, and name commands and options of the program sooth. `options` may be
 * NULL. NULL: it failed, and `err` says why.
 *
 * Blocks for the duration. System calls and stacks are observed where the caller may (root,
 * or cap_bpf and cap_perfmon), else the checks that need them are left out. The process is not
 * stopped, and one that ends meanwhile is reported as far as it was seen. The checks have
 * their default thresholds.
 */
struct sooth_table *sooth_diagnose(
	pid_t pid, const struct sooth_diagnose_options *options, struct sooth_error *err);

#ifdef __cplusplus
}
#endif
#endif
