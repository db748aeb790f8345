/* SPDX-License-Identifier: BSD-2-Clause */
/* package.json. */
#include "os/linux/programs/package_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/root_file.h"

#define LEVELS_MAX 5 /* folders above the script that are searched for its package */
#define LINKS_MAX  8

/* --- the text --- */

/* Parses a string behind its opening quote, as it is written, with escapes. */
static struct span parse_string(struct cursor *c)
{
	const char *begin = (const char *)c->at;
	size_t size = 0, left = cursor_left(c);

	while (size < left && begin[size] != '"')
		size += begin[size] == '\\' && size + 1 < left ? 2 : 1;
	c->at += size < left ? size + 1 : left;
	return span_of(begin, size);
}

static void copy_legal(char *out, size_t room, struct span text, const char *legal)
{
	if (out[0] || !text.size || text.size >= room)
		return;
	for (size_t i = 0; i < text.size; i++) {
		if (!text.data[i] || !strchr(legal, text.data[i]))
			return;
	}
	memcpy(out, text.data, text.size);
	out[text.size] = '\0';
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

void package_parse(struct package *package, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct span key = { "", 0 };
	unsigned depth = 0;
	bool is_value = false;

	assert(package);
	*package = (struct package){ 0 };
	while (!cursor_at_end(&c)) {
		char at = (char)cursor_u8(&c);

		if (at == '{' || at == '[')
			depth++;
		else if (at == '}' || at == ']')
			depth -= depth > 0;
		else if (at == ':')
			is_value = true;
		else if (at == ',')
			is_value = false;
		if (at != '"')
			continue;
		struct span text = parse_string(&c);

		if (depth != 1)
			continue;
		if (!is_value)
			key = text;
		else if (span_equal(key, "name"))
			copy_legal(package->name, sizeof(package->name), text, LETTERS "@/._-~");
		else if (span_equal(key, "version"))
			copy_legal(package->version, sizeof(package->version), text, LETTERS ".+-");
	}
}

/* --- files, in the root of the process --- */

/* Replaces a link by its target, repeatedly. */
static int follow_links(int root, char path[PACKAGE_PATH_SIZE])
{
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		_cleanup_close_ int fd = root_file_open(root, path, O_PATH | O_NOFOLLOW);
		char to[PACKAGE_PATH_SIZE], *slash = strrchr(path, '/');
		ssize_t size;
		struct stat st;

		if (fd < 0)
			return fd;
		if (!slash || fstat(fd, &st))
			return -EINVAL;
		if (!S_ISLNK(st.st_mode))
			return S_ISREG(st.st_mode) ? 0 : -EINVAL;
		size = readlinkat(fd, "", to, sizeof(to));
		if (size <= 0 || (size_t)size >= sizeof(to))
			return -EINVAL;
		if (to[0] == '/')
			slash = path;
		else
			slash++;
		if ((size_t)(slash - path) + (size_t)size >= PACKAGE_PATH_SIZE)
			return -ENAMETOOLONG;
		memcpy(slash, to, (size_t)size);
		slash[size] = '\0';
	}
	return -ELOOP;
}

/* Reads a package.json of root or of the script's owner: any user may put one into a folder such as
 * /tmp, and so give the programs below it another name. A link of that name may lead to a file that
 * the link's owner may not read. */
static bool read_package(struct package *package, int root, const char *folder, uint32_t owner)
{
	char path[PACKAGE_PATH_SIZE + sizeof("/package.json")], text[PACKAGE_FILE_MAX];
	_cleanup_close_ int fd = -1;
	size_t size = 0;
	struct stat st;
	ssize_t n = 1;

	snprintf(path, sizeof(path), "%s/package.json", folder);
	fd = root_file_open_regular(root, path, &st);
	if (fd < 0 || (st.st_uid && st.st_uid != owner) || st.st_mode & S_IWOTH)
		return false;
	while (n > 0 && size < sizeof(text)) {
		n = read(fd, text + size, sizeof(text) - size);
		size += n > 0 ? (size_t)n : 0;
	}
	package_parse(package, text, size);
	return package->name[0];
}

#define NO_OWNER UINT32_MAX

static uint32_t owner_of(int root, const char *path)
{
	_cleanup_close_ int place = root_file_open(root, path, O_PATH | O_NOFOLLOW);
	struct stat st;

	return place < 0 || fstat(place, &st) ? NO_OWNER : st.st_uid;
}

int package_find(struct package *package, int process, const char *path)
{
	_cleanup_close_ int root = root_open(process);
	char at[PACKAGE_PATH_SIZE];
	uint32_t owner;
	int status;

	*package = (struct package){ 0 };
	if (root < 0)
		return root;
	if (path[0] != '/' || (size_t)snprintf(at, sizeof(at), "%s", path) >= sizeof(at))
		return -EINVAL;
	status = follow_links(root, at);
	owner = status ? NO_OWNER : owner_of(root, at);
	for (unsigned i = 0; !status && i < LEVELS_MAX; i++) {
		char *slash = strrchr(at, '/');

		/* Above "..", the folder is not the one in the text. */
		if (!slash || slash == at || !strcmp(slash, "/.."))
			break;
		*slash = '\0';
		if (read_package(package, root, at, owner))
			break;
	}
	return status;
}
