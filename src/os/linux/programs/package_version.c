/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Versions of packages. dpkg's list is text in stanzas (deb822(5)), apk's too, with one letter per
 * field. Both are read once.
 *
 * Cannot be seen: RPM's list, which is a database.
 */
#include "os/linux/programs/package_version.h"

#include <fcntl.h>
#include <string.h>

#include <sooth/field.h>

#include "os/linux/files/procfs.h"

#define LIST_BYTES_MAX (32u << 20) /* 100,000 packages */

/* A stanza is lines up to an empty one. The value of "Field: value", empty if there is none. */
static struct span stanza_field(struct span stanza, const char *field)
{
	struct cursor c = cursor_over(stanza.data, stanza.size);

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor at = cursor_over(line.data, line.size);

		if (!cursor_skip(&at, field))
			continue;
		cursor_blanks(&at);
		return span_of((const char *)at.at, cursor_left(&at));
	}
	return span_of("", 0);
}

/* The stanza that begins with the line, at the start of the list or of a line. */
static bool find_stanza(
	struct span *stanza, const char *field, struct span package, const void *data, size_t size)
{
	const char *at = data, *end = at + size;
	char line[PACKAGE_VERSION_SIZE + 16];
	size_t length = strlen(field) + package.size + 1;

	if (!size || length >= sizeof(line) || memchr(package.data, '\n', package.size))
		return false;
	memcpy(line, field, strlen(field));
	memcpy(line + strlen(field), package.data, package.size);
	line[length - 1] = '\n';
	while (at < end && (at = memmem(at, (size_t)(end - at), line, length))) {
		const char *stop;

		if (at != data && at[-1] != '\n') {
			at++;
			continue;
		}
		stop = memmem(at, (size_t)(end - at), "\n\n", 2);
		*stanza = span_of(at, (size_t)((stop ? stop : end) - at));
		return true;
	}
	return false;
}

bool package_list_dpkg(struct span *version, struct span package, const void *data, size_t size)
{
	struct span stanza, found;

	if (!find_stanza(&stanza, "Package: ", package, data, size))
		return false;
	found = stanza_field(stanza, "Version:");
	if (!found.size || !span_ends(stanza_field(stanza, "Status:"), " ok installed"))
		return false;
	*version = found;
	return true;
}

/* Fields of a stanza have no fixed order there, but the package's name precedes its version. */
bool package_list_apk(struct span *version, struct span package, const void *data, size_t size)
{
	struct span stanza, found;

	if (!find_stanza(&stanza, "P:", package, data, size))
		return false;
	found = stanza_field(stanza, "V:");
	if (!found.size)
		return false;
	*version = found;
	return true;
}

static void read_list(struct package_versions *v)
{
	v->is_read = true;
	if (procfs_read_at(AT_FDCWD, "/var/lib/dpkg/status", &v->list, LIST_BYTES_MAX) >= 0)
		return;
	v->is_apk = true;
	if (procfs_read_at(AT_FDCWD, "/lib/apk/db/installed", &v->list, LIST_BYTES_MAX) < 0)
		buffer_reset(&v->list);
}

static bool is_packaged(const char *path)
{
	return (!strncmp(path, "/usr/", 5) && strncmp(path, "/usr/local/", 11)) ||
	       !strncmp(path, "/bin/", 5) || !strncmp(path, "/sbin/", 6);
}

uint8_t package_versions_find(struct package_versions *v, const char *path, const char *package,
	char version[PACKAGE_VERSION_SIZE])
{
	struct span found, name = span_of(package, strlen(package));
	bool is_there;

	if (!is_packaged(path))
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	if (!v->is_read)
		read_list(v);
	is_there = v->is_apk ? package_list_apk(&found, name, v->list.data, v->list.size)
			     : package_list_dpkg(&found, name, v->list.data, v->list.size);
	if (!is_there || found.size >= PACKAGE_VERSION_SIZE)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	memcpy(version, found.data, found.size);
	version[found.size] = '\0';
	return SOOTH_STATE_VALUE;
}

void package_versions_fini(struct package_versions *v)
{
	buffer_fini(&v->list);
}
