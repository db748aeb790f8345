/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/profile/jsc_cache.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define HEAD	   "sooth layout of JavaScriptCore 1" /* another number: other members */
#define TAIL	   "end"
#define BUILD_ID   64
#define OFFSET_MAX 1024

struct member {
	uint16_t at;
	uint16_t size;
	uint16_t most;
};

#define OFFSET(name)                                                                               \
	{                                                                                          \
		offsetof(struct jsc_layout, name), sizeof(uint16_t), OFFSET_MAX                    \
	}
#define BYTE(name, most)                                                                           \
	{                                                                                          \
		offsetof(struct jsc_layout, name), sizeof(uint8_t), most                           \
	}

static const struct member members[] = {
	OFFSET(callee_executable),
	OFFSET(rare_executable),
	OFFSET(block_owner),
	OFFSET(block_unlinked),
	OFFSET(block_code),
	OFFSET(executable_provider),
	OFFSET(executable_unlinked),
	OFFSET(native_name),
	OFFSET(unlinked_code),
	OFFSET(unlinked_name),
	OFFSET(unlinked_start),
	BYTE(start_shift, 1),
	BYTE(start_bits, 31),
	OFFSET(provider_url),
	OFFSET(code_tier),
	OFFSET(code_range),
	OFFSET(code_range_ftl),
	OFFSET(range_at),
	OFFSET(origins),
	OFFSET(origins_ftl),
	BYTE(range_kind, JSC_RANGE_SIZE),
	BYTE(type_function, UINT8_MAX),
	BYTE(type_block, UINT8_MAX),
	BYTE(type_executable, UINT8_MAX),
	BYTE(type_unlinked, UINT8_MAX),
	BYTE(type_native, UINT8_MAX),
};

void jsc_cache_print(struct buffer *out, const char *build_id, const struct jsc_layout *layout)
{
	buffer_format(out, "%s\n%s\n", HEAD, build_id);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		uint16_t value = 0;

		memcpy(&value, (const char *)layout + members[i].at, members[i].size);
		buffer_format(out, "%u\n", value);
	}
	buffer_string(out, TAIL "\n");
}

bool jsc_cache_parse(struct span text, const char *build_id, struct jsc_layout *out)
{
	struct cursor c = cursor_over(text.data, text.size);

	*out = (struct jsc_layout){ 0 };
	if (!span_equal(cursor_line(&c), HEAD) || !*build_id ||
		!span_equal(cursor_line(&c), build_id))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		uint64_t value;
		uint16_t kept;

		if (!span_decimal(cursor_line(&c), &value) || value > members[i].most)
			return false;
		kept = (uint16_t)value;
		memcpy((char *)out + members[i].at, &kept, members[i].size);
	}
	return span_equal(cursor_line(&c), TAIL) && !c.failed && cursor_at_end(&c);
}

/* --- files --- */

/* Of the caller alone; negative: it is not, or is not there. */
static int open_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return fd;
	if (!fstat(fd, &st) && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	close(fd);
	return -1;
}

/* Build ids come from files: nothing but digits becomes part of a path. */
static bool make_name(char name[BUILD_ID + 8], const char *build_id)
{
	size_t length = strlen(build_id);

	if (!length || length > BUILD_ID || strspn(build_id, "0123456789abcdef") != length)
		return false;
	snprintf(name, BUILD_ID + 8, "jsc-%s", build_id);
	return true;
}

bool jsc_cache_read(const char *folder, const char *build_id, struct jsc_layout *out)
{
	_cleanup_close_ int directory = folder ? open_folder(folder) : -1;
	_cleanup_close_ int file = -1;
	char name[BUILD_ID + 8], bytes[JSC_CACHE_BYTES];
	struct stat st;
	ssize_t size;

	if (directory < 0 || !make_name(name, build_id))
		return false;
	file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (file < 0 || fstat(file, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		st.st_mode & (S_IWGRP | S_IWOTH))
		return false;
	size = read(file, bytes, sizeof(bytes));
	return size > 0 && (size_t)size < sizeof(bytes) &&
	       jsc_cache_parse(span_of(bytes, (size_t)size), build_id, out);
}

/* Whole or not at all: another sooth may read it, or write the same. */
static void write_at(int directory, const char *name, const struct buffer *bytes)
{
	char part[BUILD_ID + 40];
	bool is_written;
	int file;

	snprintf(part, sizeof(part), ".%s-%d", name, (int)getpid());
	file = openat(directory, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return;
	is_written = write(file, bytes->data, bytes->size) == (ssize_t)bytes->size;
	if (close(file) || !is_written || renameat(directory, part, directory, name))
		unlinkat(directory, part, 0);
}

/* With the one above it, as the first program does that keeps something there. */
static void make_folder(const char *folder)
{
	_cleanup_free_ char *above = strdup(folder);
	char *slash = above ? strrchr(above, '/') : NULL;

	if (slash && slash > above) {
		*slash = '\0';
		mkdir(above, 0700);
	}
	mkdir(folder, 0700);
}

void jsc_cache_write(const char *folder, const char *build_id, const struct jsc_layout *layout)
{
	_cleanup_close_ int directory = -1;
	struct buffer bytes = { 0 };
	char name[BUILD_ID + 8];

	if (!folder || !make_name(name, build_id))
		return;
	make_folder(folder);
	directory = open_folder(folder);
	jsc_cache_print(&bytes, build_id, layout);
	if (directory >= 0 && !buffer_failed(&bytes))
		write_at(directory, name, &bytes);
	buffer_fini(&bytes);
}
