/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "bundle": what a report of a defect needs, of every process that is meant. */
#ifndef SOOTH_ANALYZE_BUNDLE_H
#define SOOTH_ANALYZE_BUNDLE_H

#include "analyze/diagnosis/findings.h"

struct bundle_options {
	struct findings_options findings;
};

#endif
