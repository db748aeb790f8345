/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of terminals. Pseudo-terminals are numbered; every other terminal has a device in sysfs,
 * in a folder of the class tty, with its name.
 */
#include "os/linux/files/terminal_names.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probes/proc.h"

/* Documentation/admin-guide/devices.txt; 137 to 143 are reserved for more of them. */
#define PSEUDO_MAJOR	  136
#define PSEUDO_MAJOR_LAST 143

/* Returns the major number, as in kdev_t.h, new_encode_dev(): the low byte of the minor, 12 bits of
 * the major, the rest. */
static uint32_t major_of(uint32_t number)
{
	return number >> 8 & 0xfff;
}

static uint32_t minor_of(uint32_t number)
{
	return (number & 0xff) | (number >> 12 & 0xfff00);
}

uint32_t terminal_number(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | (major & 0xfff) << 8 | (minor & 0xfff00) << 12;
}

static bool is_pseudo_terminal(uint32_t number)
{
	return major_of(number) >= PSEUDO_MAJOR && major_of(number) <= PSEUDO_MAJOR_LAST;
}

/* Returns the name at the end of "../../devices/virtual/tty/tty1", in a folder called tty. */
static struct span name_in(struct span link)
{
	static const char folder[] = "/tty/";
	const char *slash = link.size ? memrchr(link.data, '/', link.size) : NULL;
	size_t before = slash ? (size_t)(slash + 1 - link.data) : 0;
	struct span name = span_of(link.data + before, link.size - before);

	if (!span_ends(span_of(link.data, before), folder))
		return span_of("", 0);
	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] <= ' ' || name.data[i] > '~')
			return span_of("", 0);
	}
	return name.size < TERMINAL_NAME_SIZE ? name : span_of("", 0);
}

bool terminal_name_from(char name[TERMINAL_NAME_SIZE], uint32_t number, struct span link)
{
	struct span found;

	name[0] = '\0';
	if (is_pseudo_terminal(number)) {
		snprintf(name, TERMINAL_NAME_SIZE, "pts/%u", minor_of(number));
		return true;
	}
	found = name_in(link);
	snprintf(name, TERMINAL_NAME_SIZE, "%.*s", SPAN_ARGS(found));
	return found.size > 0;
}

static bool look_up_terminal(char name[TERMINAL_NAME_SIZE], uint32_t number, bool *has_link)
{
	char path[64], link[PATH_MAX];
	ssize_t got = -1;

	if (!is_pseudo_terminal(number)) {
		snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", major_of(number),
			minor_of(number));
		got = readlink(path, link, sizeof(link));
	}
	*has_link = got > 0;
	return terminal_name_from(name, number, span_of(link, got > 0 ? (size_t)got : 0));
}

bool terminal_name(char name[TERMINAL_NAME_SIZE], uint32_t number)
{
	bool has_link;

	name[0] = '\0';
	if (number == PROC_NO_TERMINAL)
		return false;
	if (!look_up_terminal(name, number, &has_link))
		snprintf(name, TERMINAL_NAME_SIZE, "%u:%u", major_of(number), minor_of(number));
	return true;
}

/* Returns whether a device is a terminal. Without sysfs: the majors of virtual consoles and serial
 * lines, and /dev/tty beside them. */
bool is_terminal_number(uint32_t number)
{
	char name[TERMINAL_NAME_SIZE];
	bool has_link;

	if (look_up_terminal(name, number, &has_link))
		return strcmp(name, "ptmx") != 0; /* the other side of pseudo-terminals */
	return !has_link && (major_of(number) == 4 || major_of(number) == 5);
}
