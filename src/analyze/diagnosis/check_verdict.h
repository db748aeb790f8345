/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions shared by the detectors that use a verdict (verdicts.h): deciding it, and the
 * evidence about a process that should not be there.
 */
#pragma once

#include "analyze/diagnosis/check.h"
#include "analyze/process_table/verdicts.h"

/* Returns whether the verdict holds for the process. If not, the check has reported `fine`, or why
 * the verdict could not be decided. */
bool check_holds(const struct check *e, struct check_result *out, enum verdict_kind kind,
	const char *fine, struct verdict *verdict);
bool check_verdict(const struct check *e, enum verdict_kind kind, struct verdict *out);
/* Returns whether the verdict holds for another process `p`, which is diagnosed and has the
 * finding. */
bool check_is_reported_of(
	const struct check *e, const struct process_entry *p, enum verdict_kind kind);
/* Returns how long the process was observed; 0: there is only one sample of it. */
uint64_t check_watched_ns(const struct check *e);
/* Returns whether the parent of the process changed during the observation: the old one has just
 * exited. */
bool check_has_lost_parent(const struct check *e);

/* Returns whether the process outlived the process that started it. A child has the session of its
 * parent. So a process that neither leads its session nor shares it with its parent got another
 * parent. */
bool check_has_new_parent(const struct process_entry *p);

/* Adds the evidence: age, resident memory and CPU. */
void finding_upkeep(const struct check *e, struct check_result *out);
/* Adds the evidence: how long the verdict has been known to hold, at least. */
void finding_since(const struct check *e, struct check_result *out, uint64_t since_ns);

/* Returns the name of the process, not escaped. */
struct span check_name(const struct process_entry *p);
/* Appends the name and the script that it runs, not escaped: "python3 deploy.py (4711)". */
void check_put_name(struct buffer *out, const struct process_entry *p);
/* Appends "node server.js", not escaped. */
void check_put_program(struct buffer *out, const struct process_entry *p);
