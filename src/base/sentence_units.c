/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sentence_units.h"

#include <stdio.h>
#include <string.h>

/* Appends the smaller unit unless it is zero. */
static void append_two_units(
	char out[UNITS_SIZE], uint64_t small, uint64_t ratio, const char *big, const char *name)
{
	int used = snprintf(out, UNITS_SIZE, "%llu %s", (unsigned long long)(small / ratio), big);

	if (small % ratio)
		snprintf(out + used, (size_t)(UNITS_SIZE - used), " %llu %s",
			(unsigned long long)(small % ratio), name);
}

const char *sentence_duration(char out[UNITS_SIZE], uint64_t ns)
{
	uint64_t tenths = (ns + NS_PER_S / 20) / (NS_PER_S / 10);
	uint64_t s = (ns + NS_PER_S / 2) / NS_PER_S;

	if (ns < NS_PER_MS)
		snprintf(out, UNITS_SIZE, "%llu us", (unsigned long long)(ns / NS_PER_US));
	else if (ns < NS_PER_S)
		snprintf(out, UNITS_SIZE, "%llu ms", (unsigned long long)(ns / NS_PER_MS));
	else if (tenths < 100 && tenths % 10)
		snprintf(out, UNITS_SIZE, "%llu.%llu s", (unsigned long long)(tenths / 10),
			(unsigned long long)(tenths % 10));
	else if (s < 60)
		snprintf(out, UNITS_SIZE, "%llu s", (unsigned long long)s);
	else if (s < 3600)
		append_two_units(out, s, 60, "min", "s");
	else if (s < 86400)
		append_two_units(out, s / 60, 60, "h", "min");
	else
		append_two_units(out, s / 3600, 24, s < 2 * 86400 ? "day" : "days", "h");
	return out;
}

const char *sentence_size(char out[UNITS_SIZE], uint64_t bytes)
{
	char letter[2];
	size_t size;

	format_bytes(out, bytes);
	size = strlen(out);
	letter[0] = out[size - 1];
	if (letter[0] == 'B')
		snprintf(out, UNITS_SIZE, "%llu byte%s", (unsigned long long)bytes,
			bytes == 1 ? "" : "s");
	else
		snprintf(out + size - 1, UNITS_SIZE - size + 1, " %ciB", letter[0]);
	return out;
}
