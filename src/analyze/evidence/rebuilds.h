/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds that repeat the same work: a make that starts again each time it has remade a makefile,
 * and a loop of builds that compile the same files each time. */
#ifndef SOOTH_ANALYZE_REBUILDS_H
#define SOOTH_ANALYZE_REBUILDS_H

#include "analyze/diagnosis/check.h"

/* Reports repeated work; false: none. The detector has the option min-rebuilds. */
bool rebuilds_report(const struct check *e, struct check_result *out);

#endif
