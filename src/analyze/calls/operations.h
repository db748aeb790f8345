/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "operations": what calls did to files, connections, processes, memory. */
#pragma once

#include <stdbool.h>

#include "analyze/sockets/sockets.h"

struct operations_options {
	bool io, network, process, memory;    /* none: all */
	const struct sockets_options *labels; /* labels of peers; NULL: the built-in ones */
	bool by_process;		      /* separate sums for each process */
	bool is_repeated; /* report once per interval, for that interval, and at the end for the
			     whole run */
};
