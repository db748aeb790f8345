/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of calls: of all processes together, or per process. */
#pragma once

#include "model/schema.h"

/* pid and process, the first fields of such a row. */
#define PROCESS_FIELD_COUNT 2
