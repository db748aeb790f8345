/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "capture-info". */
#ifndef SOOTH_ANALYZE_CAPTURE_INFO_H
#define SOOTH_ANALYZE_CAPTURE_INFO_H

#include "capture/index.h"

struct capture_info_options {
	const struct survey *survey; /* read when the view emits */
};

#endif
