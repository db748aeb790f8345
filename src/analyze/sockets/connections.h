/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "connections". */
#ifndef SOOTH_ANALYZE_CONNECTIONS_H
#define SOOTH_ANALYZE_CONNECTIONS_H

#include "analyze/process_table/process_match.h"
#include "analyze/sockets/sockets.h"

struct connections_options {
	struct sockets_options labels;
	struct process_choice choice;
};

#endif
