/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values for people, in integer arithmetic, rounded half up. The date is computed here because
 * gmtime_r() looks at the environment (TZ).
 */
#include "base/units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

static uint64_t divide_rounded(uint64_t value, uint64_t by)
{
	return value / by + (value % by >= by - by / 2);
}

const char *format_bytes(char out[UNITS_SIZE], uint64_t bytes)
{
	static const char letters[] = "BKMGTPE";
	uint64_t unit = 1, whole = bytes;
	size_t letter = 0;

	/* The next unit is used if the rounded value would show as 1024. */
	while (whole >= 1024 && letters[letter + 1]) {
		unit *= 1024;
		letter++;
		whole = divide_rounded(bytes, unit);
	}
	if (letter) {
		uint64_t tenths = bytes / unit * 10 + divide_rounded(bytes % unit * 10, unit);

		if (tenths < 1000) {
			snprintf(out, UNITS_SIZE, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10,
				tenths % 10, letters[letter]);
			return out;
		}
	}
	snprintf(out, UNITS_SIZE, "%" PRIu64 "%c", whole, letters[letter]);
	return out;
}

/* Writes three digits of a value below `bound` units. False: it rounds up to the bound. */
static bool three_digits(char *out, uint64_t ns, uint64_t unit, uint64_t bound, const char *name)
{
	uint64_t hundredths = divide_rounded(ns, unit / 100),
		 tenths = divide_rounded(ns, unit / 10);
	uint64_t whole = divide_rounded(ns, unit);

	if (hundredths < 1000)
		snprintf(out, UNITS_SIZE, "%" PRIu64 ".%02" PRIu64 "%s", hundredths / 100,
			hundredths % 100, name);
	else if (tenths < 1000 && tenths < bound * 10)
		snprintf(out, UNITS_SIZE, "%" PRIu64 ".%" PRIu64 "%s", tenths / 10, tenths % 10,
			name);
	else if (tenths >= 1000 && whole < bound)
		snprintf(out, UNITS_SIZE, "%" PRIu64 "%s", whole, name);
	else
		return false;
	return true;
}

static void append_two_units(
	char *out, uint64_t small, uint64_t ratio, char big_name, char small_name)
{
	snprintf(out, UNITS_SIZE, "%" PRIu64 "%c%02" PRIu64 "%c", small / ratio, big_name,
		small % ratio, small_name);
}

const char *format_ns(char out[UNITS_SIZE], uint64_t ns)
{
	uint64_t seconds = divide_rounded(ns, NS_PER_S),
		 minutes = divide_rounded(ns, 60 * NS_PER_S);
	uint64_t hours = divide_rounded(ns, 3600 * NS_PER_S);

	if (ns < 1000)
		snprintf(out, UNITS_SIZE, "%" PRIu64 "ns", ns);
	else if (three_digits(out, ns, NS_PER_US, 1000, "us") ||
		 three_digits(out, ns, NS_PER_MS, 1000, "ms") ||
		 three_digits(out, ns, NS_PER_S, 60, "s"))
		return out;
	else if (seconds < 3600)
		append_two_units(out, seconds, 60, 'm', 's');
	else if (minutes < 24 * 60)
		append_two_units(out, minutes, 60, 'h', 'm');
	else
		append_two_units(out, hours, 24, 'd', 'h');
	return out;
}

const char *format_count(char out[UNITS_SIZE], uint64_t count)
{
	snprintf(out, UNITS_SIZE, "%" PRIu64, count);
	return out;
}

/* Writes a time as a date in UTC. Years are counted from 1 March, so that the leap day is the last
 * of its year. */
const char *format_utc(char out[UNITS_SIZE], uint64_t realtime_ns)
{
	uint64_t seconds = realtime_ns / NS_PER_S;
	unsigned second = (unsigned)(seconds % 86400);
	unsigned days = (unsigned)(seconds / 86400) + 719468; /* since 0000-03-01 */
	unsigned era = days / 146097, in_era = days % 146097;
	unsigned in_year, year, month;

	year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	in_year = in_era - (365 * year + year / 4 - year / 100);
	month = (5 * in_year + 2) / 153; /* 0 is March */
	snprintf(out, UNITS_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ",
		era * 400 + year + (month >= 10), month < 10 ? month + 3 : month - 9,
		in_year - (153 * month + 2) / 5 + 1, second / 3600, second / 60 % 60, second % 60);
	return out;
}

static struct cursor cursor_of(const char *text)
{
	return cursor_over(text, text ? strlen(text) : 0);
}

static bool starts_digit(const struct cursor *c)
{
	return cursor_left(c) && *c->at >= '0' && *c->at <= '9';
}

/* Reads ".5" in units of `unit`. Parts of a nanosecond are dropped. */
static bool read_fraction(struct cursor *c, uint64_t unit, uint64_t *ns)
{
	*ns = 0;
	if (!cursor_skip(c, "."))
		return true;
	if (!starts_digit(c))
		return false;
	for (; starts_digit(c); c->at++) {
		unit /= 10;
		*ns += unit * (uint64_t)(*c->at - '0');
	}
	return true;
}

static uint64_t duration_unit(struct span name)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", NS_PER_S },
		{ "ns", 1 },
		{ "us", NS_PER_US },
		{ "ms", NS_PER_MS },
		{ "s", NS_PER_S },
		{ "m", 60 * NS_PER_S },
		{ "h", 3600 * NS_PER_S },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (span_equal(name, units[i].name))
			return units[i].ns;
	return 0;
}

bool parse_duration(const char *text, uint64_t *ns)
{
	struct cursor c = cursor_of(text), part = c;
	uint64_t whole, unit, rest;

	/* ".5" is half a unit. */
	whole = starts_digit(&c) ? cursor_decimal(&c) : 0;
	if (c.at == part.at && !(cursor_left(&c) && *c.at == '.'))
		return false;
	/* The unit comes after the fraction but scales it: the fraction is skipped first. */
	part = c;
	if (!read_fraction(&c, 0, &rest))
		return false;
	unit = duration_unit(cursor_bytes(&c, cursor_left(&c)));
	if (c.failed || !unit || !read_fraction(&part, unit, &rest) || whole > UINT64_MAX / unit ||
		rest > UINT64_MAX - whole * unit)
		return false;
	*ns = whole * unit + rest;
	return true;
}

bool parse_bytes(const char *text, uint64_t *bytes)
{
	static const char letters[] = "kKmMgGtTpPeE";
	struct cursor c = cursor_of(text);
	unsigned shift = 0;
	uint64_t number;

	if (!starts_digit(&c))
		return false;
	number = cursor_decimal(&c);
	if (cursor_left(&c)) {
		const char *letter = memchr(letters, *c.at, sizeof(letters) - 1);

		if (letter) {
			shift = (unsigned)((letter - letters) / 2 + 1) * 10;
			cursor_bytes(&c, 1);
			cursor_skip(&c, "i");
			/* "64ki" is refused, "64kiB" is not. */
			if (c.at[-1] == 'i' && !cursor_left(&c))
				return false;
		}
		if (!cursor_skip(&c, "B"))
			cursor_skip(&c, "b");
	}
	if (c.failed || !cursor_at_end(&c) || number > UINT64_MAX >> shift)
		return false;
	*bytes = number << shift;
	return true;
}

bool parse_u64(const char *text, uint64_t *value)
{
	return text && span_decimal(span_of(text, strlen(text)), value);
}

const char *format_real(char out[UNITS_SIZE], double value)
{
	char *point;

	snprintf(out, UNITS_SIZE, "%.15g", value);
	if (strtod(out, NULL) != value)
		snprintf(out, UNITS_SIZE, "%.17g", value);
	if (!isfinite(value))
		return out;
	/* The program's locale may have another decimal point, of more than one byte. */
	point = out + strspn(out, "-+0123456789eE");
	if (*point) {
		char *rest = point + strcspn(point, "0123456789");

		*point = '.';
		memmove(point + 1, rest, strlen(rest) + 1);
	} else if (!strpbrk(out, "eE")) {
		strcpy(point, ".0");
	}
	return out;
}

uint64_t whole_u64(double value)
{
	if (!(value > 0))
		return 0;
	return value >= 0x1p64 ? UINT64_MAX : (uint64_t)value;
}

uint64_t rounded_u64(double value)
{
	return whole_u64(value + 0.5);
}
