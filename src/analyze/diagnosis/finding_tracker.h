/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which findings are raised, since when: so that whoever watches says each once, when it
 * comes and when it goes. A finding is cleared when two judgements in a row did not find it; one
 * that gets worse is raised again.
 */
#ifndef SOOTH_ANALYZE_FINDING_TRACKER_H
#define SOOTH_ANALYZE_FINDING_TRACKER_H

#include "analyze/diagnosis/finding_rows.h"
#include "base/map.h"

#define FINDING_KEY_SIZE 192

struct finding_tracker {
	struct map raised;    /* char[FINDING_KEY_SIZE] -> struct of finding_tracker.c */
	uint64_t round_ns;    /* time of the judgement that is under way */
	uint64_t utc_less_ns; /* to add for a time since 1970 */
	uint32_t round;
};

void finding_tracker_init(struct finding_tracker *b);
void finding_tracker_fini(struct finding_tracker *b);
/* A judgement begins. */
void finding_tracker_begin(struct finding_tracker *b, uint64_t now_ns, uint64_t utc_ns);
bool finding_tracker_is_raised(const struct finding_tracker *b, const char *key);
/* Found: notes it, and fills times and state of the row. */
void finding_tracker_raise(struct finding_tracker *b, const char *key, struct finding_row *row);

struct finding_cleared {
	char key[FINDING_KEY_SIZE];
	uint64_t first_ns, last_ns;
	uint8_t severity;
};

/* The judgement is over: struct finding_cleared of those that went, once. */
void finding_tracker_end(struct finding_tracker *b, struct buffer *cleared);

#endif
