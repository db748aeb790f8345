/* SPDX-License-Identifier: BSD-2-Clause */
/* How the short text names what was diagnosed. */
#ifndef SOOTH_ANALYZE_ANSWER_NAME_H
#define SOOTH_ANALYZE_ANSWER_NAME_H

#include "analyze/activity/activity.h"
#include "analyze/diagnosis/diagnosis.h"

/* "claude 4711 (app)", "bash 4720 (tool of claude 4711, app)", "python3 99", "the host". */
void answer_name(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* The activity of a session's main process: "runs Bash 8 min: sleep 3000"; nothing is appended for
 * other processes, and when the activity is not known. */
void answer_activity(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* A request to the model waits to be repeated if its last answer, which came at `came_ns` (0: at
 * any time), was an error of HTTP by the calls of the process. */
void answer_refusal(struct activity *a, const struct call_history *h, uint64_t came_ns);
/* It goes on only when its user acts: the activity has a line of its own. */
bool answer_needs_user(const struct diagnosis *s, const struct diagnosed *j);
/* "ended with exit status 0": of a process that ended while it was observed. */
bool answer_ended(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* A doubt or a fact about a process without a finding that its user should hear first: its agent
 * session has ended, its working directory is gone. True: it may be left over. */
bool answer_left(const struct diagnosed *j, struct buffer *out);
/* The process above it, of no agent, that is diagnosed too: the uppermost; NULL: none. */
const struct diagnosed *answer_above(const struct diagnosis *s, const struct diagnosed *j);
/* It belongs to a session whose main process is diagnosed too, or has one above it. */
bool answer_is_child(const struct diagnosis *s, const struct diagnosed *j);

#endif
