/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "connections". */
#pragma once

#include "analyze/process_table/process_match.h"
#include "analyze/sockets/sockets.h"

struct connections_options {
	struct sockets_options labels;
	struct process_choice choice;
};
