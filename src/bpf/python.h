/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Python: the place of the interpreter in its file, and the way from its state to names. */
#pragma once

#include "bpf/profile.h"

#define PYTHON_HEAD_WORDS (sizeof(struct python_words) / 8)
#define PYTHON_IS_ENTRY	  (1ULL << 32)
#define PYTHON_UNIT_SHIFT                                                                          \
	33 /* above: distance of the instruction from its code object; 0: none                     \
	    */
#define PYTHON_UNIT_MASK ((1ULL << 30) - 1)

/* Offsets in objects of one version. */
struct python_layout {
	uint32_t interpreters, next_interpreter; /* offset of the first interpreter in the runtime;
						    of the next one in an interpreter */
	uint32_t threads; /* offset of the first thread in the state of an interpreter */
	uint32_t current; /* the thread that has, or last had, the lock */
	uint32_t is_current_of_runtime; /* `current` is in the runtime */
	uint32_t next_thread, thread_id, native_id;
	uint32_t thread_frame; /* offset of the innermost frame in the state of a thread */
	uint32_t has_record, record_frame; /* `thread_frame` leads to what has the frame */
	uint32_t frame_code, frame_previous;
	uint32_t frame_mark; /* a byte: whether the interpreter was called for the frame */
	uint32_t entry_mark; /* not 0: a frame with this mark stands below the one it was called
				for, and has no function itself */
	uint32_t code_line, code_file, code_name;
	uint32_t frame_unit; /* leads to the instruction that runs; 0: lines are not read */
	uint32_t code_units, code_table; /* instructions; the table of their lines */
	uint32_t text_ascii, text_other; /* letters of a text */
	uint32_t has_ready;		 /* a text has a bit that says so */
};

/* The same from 3.9 to 3.14 (Include/cpython/unicodeobject.h, object.h). */
#define PYTHON_OBJECT_COUNT 0
#define PYTHON_OBJECT_TYPE  8
#define PYTHON_TEXT_LENGTH  16 /* PyASCIIObject */
#define PYTHON_TEXT_STATE   32
#define PYTHON_KIND(state)  ((state) >> 2 & 7) /* bytes of a letter */
#define PYTHON_IS_ASCII	    (1u << 6)
#define PYTHON_TAG	    3ULL /* bits of a reference beside the address (_PyStackRef) */

struct profile_python {
	struct python_layout layout;
	uint64_t eval_from, eval_to; /* range of _PyEval_EvalFrameDefault() in the file */
	uint64_t rest_from, rest_to; /* the part that the compiler has moved elsewhere */
	uint64_t runtime, code_type; /* _PyRuntime, PyCode_Type: from offset 0 as it is mapped */
};

/* Returns bit 63 if a value is in a range, without a branch: the verifier follows each branch of a
 * walk's loop. */
static inline uint64_t python_within(uint64_t offset, uint64_t from, uint64_t to)
{
	uint64_t behind = offset - from;

	return ~behind & (behind - (to - from)) & 1ULL << 63;
}

static inline int python_is_eval(const struct profile_python *p, uint64_t offset)
{
	return (python_within(offset, p->eval_from, p->eval_to) |
		       python_within(offset, p->rest_from, p->rest_to)) != 0;
}

/* A function. */
struct profile_raw_python {
	uint64_t code, name; /* the objects */
	uint64_t line;	     /* the first; PYTHON_IS_ENTRY: the interpreter was called for it; above
				PYTHON_UNIT_SHIFT: the instruction */
};

/* Beside a stack. */
struct python_words {
	struct profile_words of; /* `detail`: the functions are all that there are */
	uint64_t file;		 /* file of the interpreter */
	uint64_t type;		 /* type of code objects */
	struct profile_raw_python functions[];
};

#define PROFILE_TEXT_BYTES 256 /* a power of two */

/* The bytes of a text as they stand in memory. If the text is longer than this array, no bytes are
 * kept. */
struct profile_python_text {
	uint64_t length;
	uint32_t state;
	uint32_t unused;
	unsigned char letters[PROFILE_TEXT_BYTES];
};

struct profile_python_name {
	struct profile_name of;
	struct profile_raw_python frame;
	uint64_t file; /* file of the interpreter */
	struct profile_python_text name, path;
};
