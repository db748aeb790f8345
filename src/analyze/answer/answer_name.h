/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of a diagnosed process, or of the host, in the short text. */
#pragma once

#include "analyze/activity/activity.h"
#include "analyze/diagnosis/diagnosis.h"

/* Returns the agent that the process runs, or whose session it is in; NULL: none. */
const struct agent *answer_agent(const struct diagnosed *j);
/* "claude 4711 (app)", "bash 4720 (tool of claude 4711, app)", "python3 99", "the host". */
void answer_name(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* The activity of a session's main process: "runs Bash 8 min: sleep 3000"; nothing is appended for
 * other processes, and when the activity is not known. */
void answer_activity(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* Appends the activity after a text, which is left out if there is no activity. */
void answer_activity_after(const struct diagnosis *s, const struct diagnosed *j, const char *before,
	struct buffer *out);
/* Marks the activity as a request to the model that will be repeated, if the calls of the process
 * show an HTTP error as the last answer. `came_ns`: time of that answer; 0: any. */
void answer_refusal(struct activity *a, const struct call_history *h, uint64_t came_ns);
/* Returns whether the process continues only when its user acts. */
bool answer_needs_user(const struct diagnosis *s, const struct diagnosed *j);
/* Returns whether the session waits for an answer of its model. */
bool answer_awaits_model(const struct diagnosis *s, const struct diagnosed *j);
/* Returns whether the activity of the process is a problem without a finding: it is stopped, asks
 * the model again, or gets no answer. */
bool answer_is_troubled(const struct diagnosis *s, const struct diagnosed *j);
/* Returns the time in the activity; 0: unknown; `otherwise`: the process has no activity. */
uint64_t answer_activity_since(
	const struct diagnosis *s, const struct diagnosed *j, uint64_t otherwise);
/* Returns the pid of the process that the tool of this session's main process waits for; 0: none.
 */
uint32_t answer_tool(const struct diagnosis *s, const struct diagnosed *j);
/* Appends what to do about a tool that has been silent for minutes; false: there is none. */
bool answer_tool_advice(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* Returns whether the activity of the process has a line of its own: it needs its user, is a
 * problem, or belongs to the main process of the only session that is diagnosed. */
bool answer_tells_activity(const struct diagnosis *s, const struct diagnosed *j);
/* "ended with exit status 0". False: the process did not end during the observation. */
bool answer_ended(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* Appends a doubt or a fact that the user should hear first about a process without a finding: its
 * agent session has ended, its working directory is gone. Returns whether the process may be left
 * over. */
bool answer_left(const struct diagnosed *j, struct buffer *out);
/* Returns the uppermost ancestor of the process that is diagnosed too and belongs to no agent;
 * NULL: none. */
const struct diagnosed *answer_above(const struct diagnosis *s, const struct diagnosed *j);
/* Returns whether the process belongs to a session whose main process is diagnosed too, or has a
 * diagnosed ancestor of no agent. */
bool answer_is_child(const struct diagnosis *s, const struct diagnosed *j);
