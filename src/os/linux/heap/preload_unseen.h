/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that a session cannot see, because they do not load its library: looked for now and then
 * among the processes that it knows and their children, so a short one may be missed.
 */
#ifndef SOOTH_OS_LINUX_PRELOAD_UNSEEN_H
#define SOOTH_OS_LINUX_PRELOAD_UNSEEN_H

#include "os/linux/heap/preload_session.h"

void preload_unseen_init(struct preload_unseen *u);
void preload_unseen_fini(struct preload_unseen *u);
/* With the session's lock held. */
void preload_unseen_look(struct preload_session_reader *s, uint64_t now_ns);

#endif
