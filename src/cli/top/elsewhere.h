/* SPDX-License-Identifier: BSD-2-Clause */
/* Hands over to other programs: commands that resume a session, the pane of tmux. */
#pragma once

#include "cli/top/state.h"

/* Writes the command that resumes the session. False: none is known. */
bool top_resume_command(const struct top_session *s, char *out, size_t size);
/* Shows the pane of a terminal within tmux. False: there is none. */
bool top_jump(struct top *t, const char *terminal);
