/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/finding_tracker.h"

#include <string.h>

#define RAISED_MAX   16384
#define ROUNDS_STILL 2 /* a finding is cleared after so many diagnoses without it */

struct raised {
	uint64_t first_ns, last_ns;
	uint32_t round; /* number of the last diagnosis with the finding */
	uint8_t severity;
	uint8_t unused[3];
};

struct tracker_key {
	char text[FINDING_KEY_SIZE];
};

void finding_tracker_init(struct finding_tracker *b)
{
	*b = (struct finding_tracker){ 0 };
	map_init(&b->raised, sizeof(struct tracker_key), sizeof(struct raised), RAISED_MAX);
}

void finding_tracker_fini(struct finding_tracker *b)
{
	map_fini(&b->raised);
}

void finding_tracker_begin(struct finding_tracker *b, uint64_t now_ns, uint64_t utc_ns)
{
	b->round++;
	b->round_ns = now_ns;
	b->utc_less_ns = utc_ns - now_ns;
}

/* Makes a key, and shortens a long one. */
static struct tracker_key key_of(const char *text)
{
	struct tracker_key key = { 0 };
	size_t size = strlen(text);

	memcpy(key.text, text, size < sizeof(key.text) - 1 ? size : sizeof(key.text) - 1);
	return key;
}

bool finding_tracker_is_raised(const struct finding_tracker *b, const char *key)
{
	struct tracker_key known = key_of(key);

	return map_get(&b->raised, &known) != NULL;
}

void finding_tracker_raise(struct finding_tracker *b, const char *key, struct finding_row *row)
{
	struct tracker_key known = key_of(key);
	bool is_new = true, is_worse = false;
	struct raised *raised = map_put(&b->raised, &known, &is_new);

	row->last_seen_ns = row->first_seen_ns = b->round_ns;
	if (raised) {
		if (is_new)
			raised->first_ns = b->round_ns;
		raised->last_ns = b->round_ns;
		raised->round = b->round;
		is_worse = !is_new && row->severity > raised->severity;
		if (is_new || is_worse)
			raised->severity = row->severity;
		row->first_seen_ns = raised->first_ns;
	}
	row->state = is_new || is_worse ? FINDING_RAISED : FINDING_STILL;
	row->first_utc_ns = row->first_seen_ns + b->utc_less_ns;
	row->last_utc_ns = row->last_seen_ns + b->utc_less_ns;
}

void finding_tracker_end(struct finding_tracker *b, struct buffer *cleared)
{
	map_for_each (&b->raised, const void *, key, const struct raised *, raised) {
		struct finding_cleared one = { .first_ns = raised->first_ns,
			.last_ns = raised->last_ns,
			.severity = raised->severity };

		if (b->round - raised->round < ROUNDS_STILL)
			continue;
		memcpy(one.key, key, sizeof(one.key));
		buffer_append(cleared, &one, sizeof(one));
		map_remove(&b->raised, key);
	}
}
