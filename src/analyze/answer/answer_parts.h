/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of an answer: a finding, what the process uses, its clients and its log, and the checks
 * that could not be done. */
#pragma once

#include "analyze/diagnosis/diagnosis.h"
#include "explain/output.h"

/* Returns the worst finding of a process; the process must have one. */
const struct finding_row *answer_worst(const struct diagnosed *j);
/* "leaks descriptors: 41 more (low confidence)" */
void answer_claim(const struct finding_row *f, struct buffer *out);
/* "descriptors: 120 over 5 s; growth: 8 a second": as much as fits in the line. */
void answer_evidence(const struct finding_row *f, struct buffer *out);
/* "fd-leak (high): " */
void answer_kind(const struct finding_row *f, struct buffer *out);

/* Returns whether the process has the finding because it waits, so that both have one begin. */
bool answer_is_about_wait(const struct finding_row *f);

/* Appends the resources that a single process uses, to its first line: "it uses 60.2 % CPU (98 % of
 * that in work (app.js:3)) and 45.7 MiB of memory, started 10 s ago"; "; " comes first if `out` has
 * text already. */
void answer_put_use(const struct diagnosis *s, struct buffer *out);

/* Appends that clients of an idle server have had no answer, "2 clients have had no answer, one for
 * 9 s: requests that hang, or that wait on purpose"; or that its own connections (a pool) are idle
 * too: perhaps each was taken from the pool and never given back. False: nothing. This is no
 * finding: a client that expects no answer, as over a websocket, looks the same. */
bool answer_clients(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);

/* Appends the last error in a process's log, unless a finding has it: `before` and `its log
 * /srv/app.log ends, 3 s ago, with "KeyError: 'price'", 7 times`, if the log ends with an error, or
 * an error came during the observation. */
void answer_log(const struct diagnosis *s, const struct diagnosed *j, const char *before,
	struct buffer *out);

/* Appends the checks that are fine: "fd-leak (41 descriptors), cpu-spin"; reasons only with
 * `has_words`. `rows`: struct finding_fine_row. */
void finding_text_fine(const struct buffer *rows, bool has_words, struct buffer *out);
/* Appends the checks that could not be done: "fd-leak, watch-flood: permission denied (run as
 * root); ...". `rows`: struct finding_blind_row. */
void finding_text_blind(const struct buffer *rows, struct buffer *out);
/* Emits the row of a process that was sampled. */
int finding_process_emit(struct output *output, const struct diagnosis *s,
	const struct diagnosed *j, struct sooth_error *err);
/* Returns whether the filter lets the row of the process pass. */
bool finding_process_is_shown(
	const struct output *output, const struct diagnosis *s, const struct diagnosed *j);

/* --- checks that could not be done, of all processes --- */

/* Returns whether a check without a result could have found the problem. */
bool answer_is_open(const struct diagnosed *j);
/* Returns whether only a few checks have no result, and all of them because the process is too
 * young; the headline then names them. */
bool answer_unseen_is_early(const struct diagnosis *s);
/* " in what could be checked", or "; system calls were not checked: sooth diagnose 4711": the end
 * of a headline without a finding. Empty: every check has a result. */
void answer_unseen_headline(const struct diagnosis *s, struct buffer *out);
/* Appends the paragraph about checks without a result, and its remedy; nothing if every check has a
 * result. */
void answer_unseen(const struct diagnosis *s, struct buffer *paragraph, struct buffer *remedy);
/* Returns the number of checks without a result that could have found the problem. */
uint32_t answer_unseen_count(const struct diagnosis *s);
