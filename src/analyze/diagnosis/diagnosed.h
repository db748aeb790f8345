/* SPDX-License-Identifier: BSD-2-Clause */
/* What all detectors said of one process, or of the host, for whoever tells it in another form. */
#ifndef SOOTH_ANALYZE_DIAGNOSED_H
#define SOOTH_ANALYZE_DIAGNOSED_H

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/diagnosis/diagnosis_input.h"
#include "core/finding.h"

struct diagnosed {
	struct process_id id;
	const struct process_entry *process; /* NULL: the host, or one that was gone before */
	bool is_host;
	struct buffer findings; /* struct finding_row, the worst first */
	struct buffer fine, blind;
	uint32_t count;
	enum finding_severity worst;
};

#endif
