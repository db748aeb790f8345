/* SPDX-License-Identifier: BSD-2-Clause */
/* The sink of a page without private data: as "redacted", for `sink_html`. */
#pragma once

#include "explain/sink.h"

extern const struct sink_type redacted_page_sink;
