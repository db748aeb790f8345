/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of limits. Formats: proc_pid_limits(5), cgroups(7), proc_pressure(5). */
#include "os/linux/files/limits_files.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/linux/files/procfs.h"

#define NAME_COLUMNS 26 /* fs/proc/base.c */
/* rounded to the largest page size; smaller pages give a larger value */
#define NO_LIMIT_V1 UINT64_C(0x7fffffffffff0000)

static const struct {
	const char *says;
	const char *name;
	enum limits_unit unit;
	enum limits_use use;
	const char *status;
} known[] = {
	{ "Max cpu time", "CPU", LIMITS_SECONDS, LIMITS_USE_CPU, NULL },
	{ "Max file size", "FSIZE", LIMITS_BYTES, LIMITS_USE_NONE, NULL },
	{ "Max data size", "DATA", LIMITS_BYTES, LIMITS_USE_STATUS, "VmData:" },
	{ "Max stack size", "STACK", LIMITS_BYTES, LIMITS_USE_STATUS, "VmStk:" },
	{ "Max core file size", "CORE", LIMITS_BYTES, LIMITS_USE_NONE, NULL },
	{ "Max resident set", "RSS", LIMITS_BYTES, LIMITS_USE_STATUS, "VmRSS:" },
	{ "Max processes", "NPROC", LIMITS_NUMBER, LIMITS_USE_UNKNOWN, NULL },
	{ "Max open files", "NOFILE", LIMITS_NUMBER, LIMITS_USE_FDS, NULL },
	{ "Max locked memory", "MEMLOCK", LIMITS_BYTES, LIMITS_USE_STATUS, "VmLck:" },
	{ "Max address space", "AS", LIMITS_BYTES, LIMITS_USE_STATUS, "VmSize:" },
	{ "Max file locks", "LOCKS", LIMITS_NUMBER, LIMITS_USE_NONE, NULL },
	{ "Max pending signals", "SIGPENDING", LIMITS_NUMBER, LIMITS_USE_SIGNALS, NULL },
	{ "Max msgqueue size", "MSGQUEUE", LIMITS_BYTES, LIMITS_USE_UNKNOWN, NULL },
	{ "Max nice priority", "NICE", LIMITS_NUMBER, LIMITS_USE_NONE, NULL },
	{ "Max realtime priority", "RTPRIO", LIMITS_NUMBER, LIMITS_USE_NONE, NULL },
	{ "Max realtime timeout", "RTTIME", LIMITS_MICROSECONDS, LIMITS_USE_NONE, NULL },
};

static struct span trim_blanks(struct span s)
{
	while (s.size && s.data[s.size - 1] == ' ')
		s.size--;
	return s;
}

static bool limit_of(struct cursor *c, uint64_t *value, bool *has)
{
	struct span word = cursor_word(c);

	*has = !span_equal(word, "unlimited");
	*value = 0;
	return !*has || span_decimal(word, value);
}

bool limits_line_parse(struct limits_line *out, struct span line)
{
	struct limits_line found = { .use = LIMITS_USE_UNKNOWN };
	struct cursor c = cursor_over(line.data, line.size);

	found.name = trim_blanks(cursor_bytes(&c, NAME_COLUMNS));
	if (c.failed || !span_starts(found.name, "Max ") ||
		!limit_of(&c, &found.soft, &found.has_soft) ||
		!limit_of(&c, &found.hard, &found.has_hard))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!span_equal(found.name, known[i].says))
			continue;
		found.name = span_of(known[i].name, strlen(known[i].name));
		found.unit = known[i].unit;
		found.use = known[i].use;
		found.status = known[i].status;
		break;
	}
	*out = found;
	return true;
}

/* Reads "17.86": two decimals, never signed. */
static double read_share(struct cursor *c, const char *name)
{
	uint64_t whole, hundredths;

	cursor_blanks(c);
	if (!cursor_skip(c, name))
		c->failed = true;
	whole = cursor_decimal(c);
	if (!cursor_skip(c, "."))
		c->failed = true;
	hundredths = cursor_decimal(c);
	if (hundredths > 99 || whole > 100)
		c->failed = true;
	return (double)whole + (double)hundredths / 100;
}

bool pressure_line_parse(struct pressure_line *out, struct span line)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct pressure_line found = { 0 };
	struct span word = cursor_word(&c);

	found.is_full = span_equal(word, "full");
	found.share_10s = read_share(&c, "avg10=");
	found.share_60s = read_share(&c, "avg60=");
	found.share_300s = read_share(&c, "avg300=");
	if (c.failed || (!found.is_full && !span_equal(word, "some")))
		return false;
	*out = found;
	return true;
}

/* Parses a line "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime ...";
 * the key is signed. */
bool segment_line_parse(struct segment_line *out, struct span line)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct segment_line found = { 0 };

	cursor_signed(&c);
	for (int i = 0; i < 2; i++)
		cursor_word(&c);
	found.bytes = cursor_decimal(&c);
	found.creator = (uint32_t)cursor_decimal(&c);
	cursor_decimal(&c);
	found.attached = cursor_decimal(&c);
	for (int i = 0; i < 6; i++)
		cursor_word(&c);
	found.change_s = cursor_decimal(&c);
	if (c.failed)
		return false;
	*out = found;
	return true;
}

/* Returns the state of the pressure. The files do not exist on a kernel without CONFIG_PSI, or
 * started with psi=0. */
uint8_t pressure_state(int status)
{
	bool has_none = status == -ENOENT || status == -EOPNOTSUPP || status == -ENOTDIR;

	return has_none ? SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) : procfs_state(status);
}

bool group_value_parse(uint64_t *value, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct span line = cursor_line(&c);
	uint64_t found;

	if (span_equal(line, "max") || span_equal(line, "-1")) {
		*value = UINT64_MAX;
		return true;
	}
	if (!span_decimal(line, &found))
		return false;
	*value = found >= NO_LIMIT_V1 ? UINT64_MAX : found;
	return true;
}

bool group_event_parse(uint64_t *value, const char *word, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor words = cursor_over(line.data, line.size);

		if (span_equal(cursor_word(&words), word))
			return span_decimal(cursor_word(&words), value);
	}
	return false;
}

bool group_cpu_parse(uint64_t *limit, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct span line = cursor_line(&c);
	uint64_t quota, period;

	c = cursor_over(line.data, line.size);
	line = cursor_word(&c);
	if (!span_decimal(cursor_word(&c), &period) || !period)
		return false;
	if (span_equal(line, "max")) {
		*limit = UINT64_MAX;
		return true;
	}
	if (!span_decimal(line, &quota) || quota > UINT64_MAX / 1000000)
		return false;
	*limit = quota * 1000000 / period;
	return true;
}

/* Returns the value of "wbps=1048576" for the word "wbps"; without a word the number itself. */
static bool io_value(uint64_t *value, struct span text, const char *word)
{
	size_t skip = word ? strlen(word) + 1 : 0;

	if (word && (text.size <= skip || memcmp(text.data, word, skip - 1) != 0 ||
			    text.data[skip - 1] != '='))
		return false;
	return span_decimal((struct span){ text.data + skip, text.size - skip }, value);
}

bool group_io_parse(uint64_t *limit, const char *word, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);

	*limit = UINT64_MAX;
	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor words = cursor_over(line.data, line.size);
		struct span device = cursor_word(&words);

		if (!device.size || !memchr(device.data, ':', device.size))
			return false;
		while (!cursor_at_end(&words)) {
			uint64_t value;

			if (io_value(&value, cursor_word(&words), word) && value < *limit)
				*limit = value;
		}
	}
	return true;
}

bool group_line_parse(struct group_line *out, struct span line)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct group_line found;

	cursor_decimal(&c);
	if (!cursor_skip(&c, ":"))
		return false;
	found.controllers = cursor_until(&c, ':');
	found.path = span_of((const char *)c.at, cursor_left(&c));
	if (c.failed || !span_starts(found.path, "/"))
		return false;
	*out = found;
	return true;
}

bool group_list_has(struct span list, const char *word)
{
	struct cursor c = cursor_over(list.data, list.size);

	while (!cursor_at_end(&c)) {
		if (span_equal(cursor_until(&c, ','), word))
			return true;
	}
	return false;
}

bool group_mount_parse(struct group_mount_line *out, struct span line)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct group_mount_line found;
	struct span word;

	cursor_decimal(&c);
	cursor_decimal(&c);
	cursor_word(&c); /* major:minor */
	found.root = cursor_word(&c);
	found.point = cursor_word(&c);
	cursor_word(&c);
	do /* optional fields end with a dash */
		word = cursor_word(&c);
	while (word.size && !span_equal(word, "-"));
	found.type = cursor_word(&c);
	cursor_word(&c); /* the mounted device */
	found.options = cursor_word(&c);
	if (c.failed || !found.type.size || !span_starts(found.root, "/") ||
		!span_starts(found.point, "/"))
		return false;
	*out = found;
	return true;
}
