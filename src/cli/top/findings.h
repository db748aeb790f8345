/* SPDX-License-Identifier: BSD-2-Clause */
/* All findings of the screen: those of the diagnosis, and notes of what the flags of sessions say
 * beside them. */
#pragma once

#include "cli/top/state.h"

/* Notes what the flags of sessions say and no finding does: a session needs its user. */
void top_findings_note(struct top *t);
/* Fills `all` with the findings and notes about rows that the filter does not hide, most severe
 * first, then notes, then in order of arrival. Returns their number. Sets the number of others. */
size_t top_findings_sorted(
	const struct top *t, const struct top_finding *all[FINDINGS_MAX], size_t *hidden);
