/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that are near another; see nearest.h. */
#include "base/nearest.h"

#include <string.h>

#define NEAR_ENOUGH  2	/* edits */
#define BEGUN_LEAST  2	/* least characters of an incomplete name */
#define DISTANCE_MAX 40 /* longer words are not compared */

/* Returns Levenshtein's distance, computed one row at a time. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b);
	size_t row[DISTANCE_MAX + 1];

	if (m > DISTANCE_MAX || n > DISTANCE_MAX)
		return DISTANCE_MAX;
	for (size_t k = 0; k <= n; k++)
		row[k] = k;
	for (size_t i = 1; i <= m; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= n; k++) {
			size_t above = row[k];
			size_t best = diagonal + (a[i - 1] != b[k - 1]);

			best = best < above + 1 ? best : above + 1;
			best = best < row[k - 1] + 1 ? best : row[k - 1] + 1;
			diagonal = above;
			row[k] = best;
		}
	}
	return row[n];
}

/* Returns the only name that begins with `typed`; NULL: none does, or several do. */
static const char *begun_name(const char *typed, const char *const *names, size_t count)
{
	const char *only = NULL;
	size_t size = strlen(typed);

	for (size_t i = 0; i < count; i++) {
		if (size < BEGUN_LEAST || strncmp(names[i], typed, size))
			continue;
		if (only)
			return NULL;
		only = names[i];
	}
	return only;
}

const char *nearest_name(const char *typed, const char *const *names, size_t count)
{
	const char *nearest = begun_name(typed, names, count);
	size_t best = NEAR_ENOUGH + 1;

	if (nearest)
		return nearest;

	for (size_t i = 0; i < count; i++) {
		size_t d = edit_distance(typed, names[i]);

		/* "-x" is two edits from anything short: that is no suggestion. */
		if (d < best && d < strlen(names[i])) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}
