/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "bundle": the content of a bug report, for every selected process. */
#ifndef SOOTH_ANALYZE_BUNDLE_H
#define SOOTH_ANALYZE_BUNDLE_H

#include "analyze/diagnosis/findings.h"

struct bundle_options {
	struct findings_options findings;
};

#endif
