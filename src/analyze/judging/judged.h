/* SPDX-License-Identifier: BSD-2-Clause */
/* What all detectors said of one process, or of the host, for whoever tells it in another form. */
#ifndef SOOTH_ANALYZE_JUDGED_H
#define SOOTH_ANALYZE_JUDGED_H

#include "analyze/judging/finding_rows.h"
#include "analyze/judging/readings.h"
#include "core/finding.h"

struct judged {
	struct process_id id;
	const struct census_process *process; /* NULL: the host, or one that was gone before */
	bool is_host;
	struct buffer findings; /* struct finding_row, the worst first */
	struct buffer fine, blind;
	uint32_t count;
	enum finding_severity worst;
};

#endif
