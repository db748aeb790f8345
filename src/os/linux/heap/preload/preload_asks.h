/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests that threads put in their slots, and wait for there (preload/layout.h). */
#pragma once

#include "os/linux/heap/preload/preload_run.h"

/* Answers the requests that are quick, and leaves the others to the thread that answers programs.
 * Called with the run's lock held. */
void preload_asks_answer_quick(struct preload_run *s);
/* Answers one of the requests left by preload_asks_answer_quick(); false: there is none. Called
 * without the lock. */
bool preload_asks_answer_next(struct preload_run *s);
