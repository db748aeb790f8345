/* SPDX-License-Identifier: BSD-2-Clause */
/* Layouts of Python by version, and the layout that a file has for debuggers. */
#include "os/linux/runtimes/python/python_layout.h"

#include <string.h>

#include "os/linux/runtimes/python/python_code.h"

#define VERSION_SHIFT	16
#define VERSION_LEVEL	0xf0
#define VERSION_RELEASE 0xf0 /* final release: layouts changed before it */
#define VERSION_3_9	0x0309
#define VERSION_3_10	0x030a
#define VERSION_3_11	0x030b
#define VERSION_3_12	0x030c
#define VERSION_3_13	0x030d
#define VERSION_3_14	0x030e
#define FRAME_MARK_3_10 84 /* its offset differs because the fields before it have other sizes */
#define COOKIE		"xdebugpy"
#define COOKIE_BYTES	8
#define OFFSET_MAX	(1u << 20)
#define ENTRY_OWNER	3 /* FRAME_OWNED_BY_CSTACK, from 3.14 on FRAME_OWNED_BY_INTERPRETER */
#define OBJECT_TYPE	8
#define TEXT_LENGTH	16
#define TEXT_STATE	32
#define TEXT_MORE	16 /* by so much PyCompactUnicodeObject is larger than PyASCIIObject */

/* Include/internal/pycore_runtime.h, pycore_interp.h and Include/cpython/pystate.h, frameobject.h,
 * code.h, 64-bit, seen in the debug information of 3.9.2, 3.9.18 and 3.10.13. Each frame is a call
 * of the interpreter, as `f_trace_lines`, the mark, says: 1 unless a tracer of the program has
 * cleared it. */
static const struct python_layout layout_3_9 = {
	.interpreters = 40, /* the main interpreter */
	.threads = 8,
	.current = 568,
	.is_current_of_runtime = 1,
	.next_thread = 8,
	.thread_id = 176,
	.thread_frame = 24,
	.frame_code = 32,
	.frame_previous = 24,
	.frame_mark = 88,
	.code_line = 40,
	.code_file = 104,
	.code_name = 112,
	.text_ascii = 48,
	.text_other = 72,
	.has_ready = 1,
};

/* Include/internal/pycore_runtime.h, pycore_interp.h, pycore_frame.h and Include/cpython/pystate.h,
 * code.h, unicodeobject.h, 64-bit: the same in 3.11.2 and 3.11.7. */
static const struct python_layout layout_3_11 = {
	.interpreters = 48, /* the main interpreter */
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
	.frame_unit = 56,
	.code_units = 184,
	.code_table = 136,
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
	.frame_unit = 56,
	.code_units = 192,
	.code_table = 136,
	.text_ascii = 40,
	.text_other = 56,
};

/* --- for debuggers --- */

enum debug_word {
	DEBUG_INTERPRETERS,
	DEBUG_NEXT_INTERPRETER,
	DEBUG_THREADS,
	DEBUG_LOCK_HOLDER,
	DEBUG_NEXT_THREAD,
	DEBUG_THREAD_FRAME,
	DEBUG_THREAD_ID,
	DEBUG_NATIVE_ID,
	DEBUG_FRAME_PREVIOUS,
	DEBUG_FRAME_CODE,
	DEBUG_FRAME_UNIT,
	DEBUG_FRAME_OWNER,
	DEBUG_CODE_SIZE,
	DEBUG_CODE_FILE,
	DEBUG_CODE_NAME,
	DEBUG_CODE_TABLE,
	DEBUG_CODE_LINE,
	DEBUG_CODE_UNITS,
	DEBUG_OBJECT_TYPE,
	DEBUG_TEXT_STATE,
	DEBUG_TEXT_LENGTH,
	DEBUG_TEXT_SIZE,
	DEBUG_WORDS,
};

#define DEBUG_VERSION	    1 /* behind the cookie */
#define DEBUG_FREE_THREADED 2
#define DEBUG_LAST	    (PYTHON_DEBUG_BYTES / sizeof(uint64_t))

/* Places of the members in _Py_DebugOffsets, in words (Include/internal/pycore_debug_offsets.h). */
static const uint8_t words_3_13[DEBUG_WORDS] = { 5, 8, 9, 18, 21, 23, 24, 25, 29, 30, 31, 33, 34,
	35, 37, 38, 39, 43, 45, 68, 69, 70 };
static const uint8_t words_3_14[DEBUG_WORDS] = { 5, 8, 9, 19, 24, 26, 27, 28, 32, 33, 34, 36, 39,
	40, 42, 43, 44, 48, 51, 78, 79, 80 };

static bool is_offset_consistent(const uint32_t *offset)
{
	return offset[DEBUG_OBJECT_TYPE] == OBJECT_TYPE && offset[DEBUG_TEXT_STATE] == TEXT_STATE &&
	       offset[DEBUG_TEXT_LENGTH] == TEXT_LENGTH && offset[DEBUG_TEXT_SIZE] > TEXT_STATE &&
	       offset[DEBUG_CODE_FILE] < offset[DEBUG_CODE_SIZE] &&
	       offset[DEBUG_CODE_NAME] < offset[DEBUG_CODE_SIZE] &&
	       offset[DEBUG_CODE_TABLE] < offset[DEBUG_CODE_SIZE] &&
	       offset[DEBUG_CODE_LINE] < offset[DEBUG_CODE_SIZE];
}

static bool layout_from_debug_offsets(struct python_layout *out, uint32_t version,
	const uint8_t *place, const unsigned char *debug, size_t size)
{
	uint64_t word[DEBUG_LAST];
	uint32_t offset[DEBUG_WORDS];

	if (size < sizeof(word) || memcmp(debug, COOKIE, COOKIE_BYTES))
		return false;
	memcpy(word, debug, sizeof(word));
	if (word[DEBUG_VERSION] != version || word[DEBUG_FREE_THREADED])
		return false;
	for (size_t i = 0; i < DEBUG_WORDS; i++) {
		if (word[place[i]] >= OFFSET_MAX)
			return false;
		offset[i] = (uint32_t)word[place[i]];
	}
	if (!is_offset_consistent(offset))
		return false;
	*out = (struct python_layout){
		.interpreters = offset[DEBUG_INTERPRETERS],
		.next_interpreter = offset[DEBUG_NEXT_INTERPRETER],
		.threads = offset[DEBUG_THREADS],
		.current = offset[DEBUG_LOCK_HOLDER],
		.next_thread = offset[DEBUG_NEXT_THREAD],
		.thread_id = offset[DEBUG_THREAD_ID],
		.native_id = offset[DEBUG_NATIVE_ID],
		.thread_frame = offset[DEBUG_THREAD_FRAME],
		.frame_code = offset[DEBUG_FRAME_CODE],
		.frame_previous = offset[DEBUG_FRAME_PREVIOUS],
		.frame_mark = offset[DEBUG_FRAME_OWNER],
		.entry_mark = ENTRY_OWNER,
		.code_line = offset[DEBUG_CODE_LINE],
		.code_file = offset[DEBUG_CODE_FILE],
		.code_name = offset[DEBUG_CODE_NAME],
		.frame_unit = offset[DEBUG_FRAME_UNIT],
		.code_units = offset[DEBUG_CODE_UNITS],
		.code_table = offset[DEBUG_CODE_TABLE],
		.text_ascii = offset[DEBUG_TEXT_SIZE],
		.text_other = offset[DEBUG_TEXT_SIZE] + TEXT_MORE,
	};
	return python_code_size(out) <= PYTHON_CODE_BYTES;
}

bool python_layout_find(
	struct python_layout *out, uint32_t version, const unsigned char *debug, size_t size)
{
	if ((version & VERSION_LEVEL) != VERSION_RELEASE)
		return false;
	switch (version >> VERSION_SHIFT) {
	case VERSION_3_9:
		*out = layout_3_9;
		return true;
	case VERSION_3_10:
		*out = layout_3_9;
		out->frame_mark = FRAME_MARK_3_10;
		return true;
	case VERSION_3_11:
		*out = layout_3_11;
		return true;
	case VERSION_3_12:
		*out = layout_3_12;
		return true;
	case VERSION_3_13:
		return layout_from_debug_offsets(out, version, words_3_13, debug, size);
	case VERSION_3_14:
		return layout_from_debug_offsets(out, version, words_3_14, debug, size);
	default:
		return false;
	}
}
