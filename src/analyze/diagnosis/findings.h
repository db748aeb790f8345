/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of whatever judges. */
#ifndef SOOTH_ANALYZE_FINDINGS_H
#define SOOTH_ANALYZE_FINDINGS_H

#include <stdbool.h>

#include "analyze/diagnosis/check_settings.h"
#include "analyze/diagnosis/diagnosed.h"
#include "analyze/sockets/sockets.h"

/* What came of it, for an exit status. */
struct findings_reported {
	bool has_any;
	enum finding_severity worst;
};

struct findings_options {
	const struct check_settings *settings; /* NULL: the detectors' own */
	const struct sockets_options *labels;  /* of peers; NULL: the built-in ones */
	bool is_verbose;		       /* people see also processes with no finding */
	uint64_t interval_ns;		/* of "finding-changes": how often it is judged; 0: 10 s */
	struct findings_reported *told; /* NULL: nobody asks */
	/* Only what is itself this agent, whoever else is there; NULL: all that is meant. */
	const char *agent;
	bool is_one_look; /* what needs an interval is not judged */
};

#endif
