/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds whether an agent is among the selected processes. */
#pragma once

#include "cli/selected/target_found.h"

/* False also if the processes cannot be read. */
bool target_has_agent(const struct target_found *found);
