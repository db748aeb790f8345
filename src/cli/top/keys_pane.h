/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of panes, and those that pass something to other programs. */
#ifndef SOOTH_CLI_TOP_KEYS_PANE_H
#define SOOTH_CLI_TOP_KEYS_PANE_H

#include "cli/top/state.h"

/* Opens a pane about the selected row. */
void top_open_pane(struct top *t, const struct top_pane_kind *kind);
/* The evidence of a finding: a diagnosis of its process, which is selected too. */
void top_open_finding(struct top *t, const struct top_finding *f);
void top_take_pane_key(struct top *t, int key);
/* The PID, or the command that resumes the session. */
void top_copy(struct top *t, bool is_resume);
/* Goes to the pane of tmux, else says which terminal the process has. */
void top_say_terminal(struct top *t, int key);

/* Processes that were too short-lived for the list, by name. */
void top_show_short_lived(struct top *t, int key);

#endif
