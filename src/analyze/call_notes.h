/* SPDX-License-Identifier: BSD-2-Clause */
/* What every view of system calls tells beside them: how its target was held. */
#ifndef SOOTH_ANALYZE_CALL_NOTES_H
#define SOOTH_ANALYZE_CALL_NOTES_H

#include "analyze/holds.h"

struct call_notes {
	struct holds holds;
};

void call_notes_init(struct call_notes *n);
void call_notes_take(struct call_notes *n, const struct sooth_record *r);
/* At the end of a report. */
int call_notes_tell(struct call_notes *n, struct output *output, struct sooth_error *err);

#endif
