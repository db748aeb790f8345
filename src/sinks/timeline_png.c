/* SPDX-License-Identifier: BSD-2-Clause */
/* The picture of timeline_svg.c as PNG. */
#include "sinks/raster.h"

RASTER_SINK(timeline_png, "timeline-png", "the same as PNG (needs librsvg)", sink_timeline_svg);
