/* SPDX-License-Identifier: BSD-2-Clause */
/* A box with all findings, most severe first; Enter diagnoses the process of a finding. */
#pragma once

#include "cli/top/state.h"

void top_findings_open(struct top *t);
void top_findings_handle_key(struct top *t, int key);
void top_findings_draw(struct top *t);
