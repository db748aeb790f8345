/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracks which findings are raised and since when, so that a watch reports each once when it
 * appears and once when it clears. A finding clears after two diagnoses in a row without it;
 * one that gets worse is raised again.
 */
#pragma once

#include "analyze/diagnosis/finding_rows.h"
#include "base/map.h"

#define FINDING_KEY_SIZE 192

struct finding_tracker {
	struct map raised;    /* char[FINDING_KEY_SIZE] -> struct of finding_tracker.c */
	uint64_t round_ns;    /* time of the current diagnosis */
	uint64_t utc_less_ns; /* difference to add to CLOCK_MONOTONIC for a time since 1970 */
	uint32_t round;
};

void finding_tracker_init(struct finding_tracker *b);
void finding_tracker_fini(struct finding_tracker *b);
/* Begins a diagnosis. */
void finding_tracker_begin(struct finding_tracker *b, uint64_t now_ns, uint64_t utc_ns);
bool finding_tracker_is_raised(const struct finding_tracker *b, const char *key);
/* Records the finding, and fills in the times and state of the row. */
void finding_tracker_raise(struct finding_tracker *b, const char *key, struct finding_row *row);

struct finding_cleared {
	char key[FINDING_KEY_SIZE];
	uint64_t first_ns, last_ns;
	uint8_t severity;
};

/* Ends a diagnosis: appends one struct finding_cleared for each finding that has
 * cleared. */
void finding_tracker_end(struct finding_tracker *b, struct buffer *cleared);
