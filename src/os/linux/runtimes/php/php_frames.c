/* SPDX-License-Identifier: BSD-2-Clause */
/* Layouts of PHP, and names by them. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/linux/files/read_memory.h"
#include "os/linux/runtimes/php/php_frames.h"

/* Zend/zend_compile.h, zend_globals.h, without thread safety: the same in 7.4, 8.2 and 8.4. */
#define SCRIPT_STEPS_MAX  64 /* frames that are examined */
#define SCRIPT_NAME_BYTES 128
#define SCRIPT_PATH_BYTES 4096 /* the whole path, of which the last part is kept */
#define PHP_CURRENT	  488  /* offset in executor_globals */
#define PHP_FUNCTION	  24   /* offset in a zend_execute_data */
#define PHP_BEFORE	  48
#define PHP_USER	  2 /* ZEND_USER_FUNCTION */
#define PHP_NAME	  8 /* offset in a zend_function */
#define PHP_CLASS	  16
#define PHP_LENGTH	  16 /* offset in a zend_string */
#define PHP_TEXT	  24

/* Offsets of a function's file; its line is behind it. */
static const struct {
	uint32_t version; /* without the release */
	uint32_t file;
} layouts[] = { { 704, 136 }, { 802, 152 }, { 804, 168 } };

static uint32_t file_of(uint32_t version)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		if (layouts[i].version == version / 100)
			return layouts[i].file;
	}
	return 0;
}

bool php_is_known(uint32_t version)
{
	return file_of(version) != 0;
}

/* --- memory --- */

struct script_reading {
	struct script_code *code;
	bool is_wrong; /* a value is not as that version has it: reading has stopped */
};

static bool do_script_get(struct script_reading *r, uint64_t at, void *out, size_t size)
{
	if (r->is_wrong || at < 4096 || !do_read_memory((pid_t)r->code->pid, at, out, size))
		r->is_wrong = true;
	return !r->is_wrong;
}

static uint64_t do_script_pointer(struct script_reading *r, uint64_t at)
{
	uint64_t value = 0;

	return do_script_get(r, at, &value, sizeof(value)) ? value : 0;
}

/* Reads a name of printable letters. A name longer than `room` is cut. */
static bool do_script_text(
	struct script_reading *r, uint64_t at, uint64_t length, char *out, size_t room)
{
	size_t size = length < room ? (size_t)length : room - 1;

	if (!length || length > SCRIPT_PATH_BYTES || !do_script_get(r, at, out, size)) {
		r->is_wrong = true;
		return false;
	}
	out[size] = '\0';
	for (size_t i = 0; i < size; i++)
		r->is_wrong |= (unsigned char)out[i] < ' ';
	return !r->is_wrong;
}

static void script_add(
	struct script_reading *r, const char *function, const char *path, uint64_t line)
{
	struct script_code *job = r->code;
	const char *slash = strrchr(path, '/');
	int size = snprintf(job->text + job->size, sizeof(job->text) - job->size, "%s%c%.*s:%u",
		function, '\0', SCRIPT_NAME_BYTES - 1, slash ? slash + 1 : path, (unsigned)line);

	if (size < 0 || job->size + (size_t)size + 1 > sizeof(job->text) ||
		job->count >= SCRIPT_FRAMES_MAX)
		return;
	job->size += (uint32_t)size + 1;
	job->count++;
}

/* --- frames --- */

static bool do_text(struct script_reading *r, uint64_t string, char *out, size_t room)
{
	return do_script_text(
		r, string + PHP_TEXT, do_script_pointer(r, string + PHP_LENGTH), out, room);
}

static void do_function(struct script_reading *r, uint64_t function, uint32_t file)
{
	char name[SCRIPT_NAME_BYTES] = "<main>", class[SCRIPT_NAME_BYTES] = "",
	     path[SCRIPT_PATH_BYTES + 1];
	char whole[2 * SCRIPT_NAME_BYTES + 2];
	uint64_t text = do_script_pointer(r, function + PHP_NAME),
		 scope = do_script_pointer(r, function + PHP_CLASS);
	uint32_t line = 0;

	if (text)
		do_text(r, text, name, sizeof(name));
	if (text && scope)
		do_text(r, do_script_pointer(r, scope + PHP_NAME), class, sizeof(class));
	do_text(r, do_script_pointer(r, function + file), path, sizeof(path));
	do_script_get(r, function + file + sizeof(uint64_t), &line, sizeof(line));
	snprintf(whole, sizeof(whole), "%s%s%s", class, *class ? "::" : "", name);
	if (!r->is_wrong && line)
		script_add(r, whole, path, line);
}

void do_php_frames(void *script_code)
{
	struct script_reading reading = { .code = script_code }, *r = &reading;
	uint32_t file = file_of(r->code->version);
	uint64_t frame = do_script_pointer(r, r->code->address + PHP_CURRENT);

	for (unsigned i = 0; frame && i < SCRIPT_STEPS_MAX && !r->is_wrong; i++) {
		uint64_t function = do_script_pointer(r, frame + PHP_FUNCTION);
		uint8_t type = 0;

		if (function && do_script_get(r, function, &type, sizeof(type)) && type == PHP_USER)
			do_function(r, function, file);
		frame = do_script_pointer(r, frame + PHP_BEFORE);
	}
}
