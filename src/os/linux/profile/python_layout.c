/* SPDX-License-Identifier: BSD-2-Clause */
/* Layouts of Python by version, and the one that a file has for debuggers. */
#include "os/linux/profile/python_layout.h"

#include <string.h>

#include "os/linux/profile/python_code.h"

#define VERSION_SHIFT	16
#define VERSION_LEVEL	0xf0
#define VERSION_RELEASE 0xf0 /* layouts changed before */
#define VERSION_3_11	0x030b
#define VERSION_3_12	0x030c
#define VERSION_3_13	0x030d
#define COOKIE		"xdebugpy"
#define COOKIE_BYTES	8
#define OFFSET_MAX	(1u << 20)
#define ENTRY_OWNER	3 /* FRAME_OWNED_BY_CSTACK */
#define OBJECT_TYPE	8
#define TEXT_LENGTH	16
#define TEXT_STATE	32
#define TEXT_MORE	16 /* PyCompactUnicodeObject has so much more than PyASCIIObject */

/* Include/internal/pycore_runtime.h, pycore_interp.h, pycore_frame.h and Include/cpython/pystate.h,
 * code.h, unicodeobject.h, 64-bit: the same in 3.11.2 and 3.11.7. */
static const struct python_layout layout_3_11 = {
	.interpreters = 48, /* the main one */
	.threads = 16,
	.current = 576,
	.is_current_of_runtime = 1,
	.next_thread = 8,
	.thread_id = 152,
	.native_id = 160,
	.thread_frame = 56,
	.has_record = 1,
	.record_frame = 8,
	.frame_code = 32,
	.frame_previous = 48,
	.frame_mark = 68,
	.code_line = 72,
	.code_file = 112,
	.code_name = 128,
	.text_ascii = 48,
	.text_other = 72,
	.has_ready = 1,
};

/* The same in 3.12.1. */
static const struct python_layout layout_3_12 = {
	.interpreters = 40,
	.threads = 72,
	.current = 1048,
	.next_thread = 8,
	.thread_id = 136,
	.native_id = 144,
	.thread_frame = 56,
	.has_record = 1,
	.frame_code = 0,
	.frame_previous = 8,
	.frame_mark = 70,
	.entry_mark = ENTRY_OWNER,
	.code_line = 68,
	.code_file = 112,
	.code_name = 128,
	.text_ascii = 40,
	.text_other = 56,
};

/* --- for debuggers --- */

/* Words of _Py_DebugOffsets in 3.13, behind the cookie. */
enum {
	DEBUG_VERSION = 1,
	DEBUG_FREE_THREADED = 2,
	DEBUG_INTERPRETERS = 5,
	DEBUG_NEXT_INTERPRETER = 8,
	DEBUG_THREADS = 9,
	DEBUG_LOCK_HOLDER = 18,
	DEBUG_NEXT_THREAD = 21,
	DEBUG_THREAD_FRAME = 23,
	DEBUG_THREAD_ID = 24,
	DEBUG_NATIVE_ID = 25,
	DEBUG_FRAME_PREVIOUS = 29,
	DEBUG_FRAME_CODE = 30,
	DEBUG_FRAME_OWNER = 33,
	DEBUG_CODE_SIZE = 34,
	DEBUG_CODE_FILE = 35,
	DEBUG_CODE_NAME = 37,
	DEBUG_CODE_LINE = 39,
	DEBUG_OBJECT_TYPE = 45,
	DEBUG_TEXT_STATE = 68,
	DEBUG_TEXT_LENGTH = 69,
	DEBUG_TEXT_SIZE = 70,
	DEBUG_WORDS,
};

_Static_assert(DEBUG_WORDS * sizeof(uint64_t) == PYTHON_DEBUG_BYTES, "all of them are read");

static bool is_consistent(const uint64_t *word)
{
	for (size_t i = DEBUG_FREE_THREADED + 1; i < DEBUG_WORDS; i++) {
		if (word[i] >= OFFSET_MAX)
			return false;
	}
	return !word[DEBUG_FREE_THREADED] && word[DEBUG_OBJECT_TYPE] == OBJECT_TYPE &&
	       word[DEBUG_TEXT_STATE] == TEXT_STATE && word[DEBUG_TEXT_LENGTH] == TEXT_LENGTH &&
	       word[DEBUG_TEXT_SIZE] > TEXT_STATE &&
	       word[DEBUG_CODE_FILE] < word[DEBUG_CODE_SIZE] &&
	       word[DEBUG_CODE_NAME] < word[DEBUG_CODE_SIZE] &&
	       word[DEBUG_CODE_LINE] < word[DEBUG_CODE_SIZE];
}

static bool from_debug(
	struct python_layout *out, uint32_t version, const unsigned char *debug, size_t size)
{
	uint64_t word[DEBUG_WORDS];

	if (size < sizeof(word) || memcmp(debug, COOKIE, COOKIE_BYTES))
		return false;
	memcpy(word, debug, sizeof(word));
	if (word[DEBUG_VERSION] != version || !is_consistent(word))
		return false;
	*out = (struct python_layout){
		.interpreters = (uint32_t)word[DEBUG_INTERPRETERS],
		.next_interpreter = (uint32_t)word[DEBUG_NEXT_INTERPRETER],
		.threads = (uint32_t)word[DEBUG_THREADS],
		.current = (uint32_t)word[DEBUG_LOCK_HOLDER],
		.next_thread = (uint32_t)word[DEBUG_NEXT_THREAD],
		.thread_id = (uint32_t)word[DEBUG_THREAD_ID],
		.native_id = (uint32_t)word[DEBUG_NATIVE_ID],
		.thread_frame = (uint32_t)word[DEBUG_THREAD_FRAME],
		.frame_code = (uint32_t)word[DEBUG_FRAME_CODE],
		.frame_previous = (uint32_t)word[DEBUG_FRAME_PREVIOUS],
		.frame_mark = (uint32_t)word[DEBUG_FRAME_OWNER],
		.entry_mark = ENTRY_OWNER,
		.code_line = (uint32_t)word[DEBUG_CODE_LINE],
		.code_file = (uint32_t)word[DEBUG_CODE_FILE],
		.code_name = (uint32_t)word[DEBUG_CODE_NAME],
		.text_ascii = (uint32_t)word[DEBUG_TEXT_SIZE],
		.text_other = (uint32_t)word[DEBUG_TEXT_SIZE] + TEXT_MORE,
	};
	return python_code_size(out) <= PYTHON_CODE_BYTES;
}

bool python_layout_find(
	struct python_layout *out, uint32_t version, const unsigned char *debug, size_t size)
{
	if ((version & VERSION_LEVEL) != VERSION_RELEASE)
		return false;
	switch (version >> VERSION_SHIFT) {
	case VERSION_3_11:
		*out = layout_3_11;
		return true;
	case VERSION_3_12:
		*out = layout_3_12;
		return true;
	case VERSION_3_13:
		return from_debug(out, version, debug, size);
	default:
		return false;
	}
}
