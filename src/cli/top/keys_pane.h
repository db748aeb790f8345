/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of panes, and keys that use other programs. */
#pragma once

#include "cli/top/state.h"

/* Opens a pane about the selected row. */
void top_open_pane(struct top *t, const struct top_pane_kind *kind);
/* Opens a pane with the evidence of a finding (a diagnosis), and selects the row of its process. */
void top_open_finding(struct top *t, const struct top_finding *f);
void top_handle_pane_key(struct top *t, int key);
/* Copies the PID, or the command that resumes the session. */
void top_copy(struct top *t, bool is_resume);
/* Switches to the process's pane of tmux, or else prints its terminal. */
void top_say_terminal(struct top *t, int key);

/* Opens a pane with the end of the selected session's log. */
void top_show_log(struct top *t, int key);
/* Opens a pane with the short-lived processes that the list missed, by name. */
void top_show_short_lived(struct top *t, int key);
