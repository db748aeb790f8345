/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strays: processes whose standard input is a pipe or a socket and who started them is gone.
 * One of them may be a server that an agent left behind; whether it is, is judged by whoever
 * explains, by what it is called (analyze/process_table/server_name.h). A host may have thousands
 * that nothing else is to be found out of, so here those are sorted out that cannot be called so,
 * by less than that judgement takes.
 */
#ifndef SOOTH_OS_LINUX_PROC_DETACHED_H
#define SOOTH_OS_LINUX_PROC_DETACHED_H

#include <stdbool.h>

#include "base/cursor.h"
#include "os/linux/proc/proc_selection.h"

/* A path or arguments in which something of such a name stands. */
bool proc_detached_is_called_so(struct span text);
/* An interpreter of JavaScript: what it runs is called by a package, which neither says. */
bool proc_detached_hides_its_name(struct span executable);
/* It may still rename itself. */
bool proc_detached_is_young(const struct proc_values *figures);

/* Whether it has to be asked what it is called: sorted entries, those close to agents known. */
bool proc_detached_is_candidate(
	const struct proc_entry *entries, size_t count, const struct proc_entry *e);
/* What a stray started is one as well, whatever it is called; once is_detached is set of those that
 * are so by themselves. */
void proc_detached_below(struct proc_entry *entries, size_t count);

#endif
