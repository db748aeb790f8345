/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options as data: "--name VALUE", "--name=VALUE" or, for flags, "--name". Whatever a table does
 * not know is refused, and so is a number outside of its range. Values are copied out of argv,
 * because the scenario `rename` overwrites that memory.
 */
#include "workload.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static int parse_number(const struct param *p, const char *text)
{
	uint64_t value;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value < p->min || value > p->max)
		return -EINVAL;
	*(uint64_t *)p->value = value;
	return 0;
}

static int parse_seconds(const struct param *p, const char *text)
{
	double seconds;

	if (!text[0] || text[strspn(text, "0123456789.")])
		return -EINVAL;
	if (strchr(text, '.') != strrchr(text, '.') || !strcmp(text, "."))
		return -EINVAL;
	seconds = strtod(text, NULL);
	if (seconds * NS_PER_SEC > (double)p->max)
		return -EINVAL;
	*(uint64_t *)p->value = (uint64_t)(seconds * NS_PER_SEC);
	return 0;
}

static int parse_text(const struct param *p, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*(char **)p->value);
	*(char **)p->value = copy;
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte at *text, which moves on; -EINVAL for an escape other than \\ and \xNN. */
static int decode_byte(const char **text)
{
	const char *at = *text;
	int high, low;

	if (at[0] != '\\') {
		*text = at + 1;
		return (unsigned char)at[0];
	}
	if (at[1] == '\\') {
		*text = at + 2;
		return '\\';
	}
	if (at[1] != 'x')
		return -EINVAL;
	high = hex_value(at[2]);
	low = high < 0 ? -1 : hex_value(at[3]);
	if (low < 0)
		return -EINVAL;
	*text = at + 4;
	return high << 4 | low;
}

static int parse_bytes(const struct param *p, const char *text)
{
	struct bytes *value = p->value;
	char *data = malloc(strlen(text) + 1);
	size_t len = 0;

	if (!data)
		return -ENOMEM;
	while (*text) {
		int byte = decode_byte(&text);

		if (byte < 0) {
			free(data);
			return byte;
		}
		data[len++] = (char)byte;
	}
	data[len] = '\0';
	free(value->data);
	*value = (struct bytes){ .data = data, .len = len };
	return 0;
}

static int (*const parsers[])(const struct param *p, const char *text) = {
	[PARAM_NUMBER] = parse_number,
	[PARAM_SECONDS] = parse_seconds,
	[PARAM_TEXT] = parse_text,
	[PARAM_BYTES] = parse_bytes,
};

static const struct param *find(const struct param *params, const char *name, size_t len)
{
	for (; params && params->name; params++)
		if (strlen(params->name) == len && !memcmp(params->name, name, len))
			return params;
	return NULL;
}

static int parse_one(const struct param *p, const char *value)
{
	if (p->kind != PARAM_FLAG)
		return value ? parsers[p->kind](p, value) : -EINVAL;
	if (value)
		return -EINVAL;
	*(bool *)p->value = true;
	return 0;
}

int param_parse(const struct param *common, const struct param *own, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *name = argv[i] + 2;
		const struct param *p = NULL;
		const char *value;
		size_t len;
		int err;

		if (!strncmp(argv[i], "--", 2)) {
			len = strcspn(name, "=");
			p = find(own, name, len);
			if (!p)
				p = find(common, name, len);
		}
		if (!p) {
			fprintf(stderr, "workloads: no option %s\n", argv[i]);
			return -EINVAL;
		}
		value = name[len] ? name + len + 1 : NULL;
		if (!value && p->kind != PARAM_FLAG && i + 1 < argc)
			value = argv[++i];
		err = parse_one(p, value);
		if (err) {
			fprintf(stderr, "workloads: --%s: bad value %s\n", p->name,
				value ? value : "(none)");
			return err;
		}
	}
	return 0;
}

void param_print(FILE *out, const struct param *params)
{
	for (; params->name; params++) {
		char left[64];

		if (!params->help)
			continue;
		snprintf(left, sizeof(left), "--%s %s", params->name,
			params->arg ? params->arg : "");
		fprintf(out, "  %-18s %s\n", left, params->help);
	}
}
