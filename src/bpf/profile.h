/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the profile program and its loader. */
#ifndef SOOTH_BPF_PROFILE_H
#define SOOTH_BPF_PROFILE_H

#include "bpf/unwind.h"
#include "probes/profile.h"

#define PROFILE_FRAMES_MAX 128 /* of user space; a power of two */
#define PROFILE_KERNEL_MAX 64
#define PROFILE_FILES_MAX  4096
#define PROFILE_TABLES_MAX 1024

#define PROFILE_TAIL_WORDS 512 /* of all frames together; a power of two */

/* Python: where the interpreter is in its file, and what is followed from its state to names. */
#define PYTHON_FILES_MAX  64
#define PYTHON_FRAMES_MAX 64
#define PYTHON_IS_ENTRY	  (1ULL << 32)

/* Offsets in objects of one version. */
struct python_layout {
	uint32_t interpreters, next_interpreter; /* the first, in the runtime; the one behind it */
	uint32_t threads;			 /* in an interpreter: its first thread */
	uint32_t current;			 /* the thread that has, or last had, the lock */
	uint32_t is_current_of_runtime;		 /* `current` is in the runtime */
	uint32_t next_thread, thread_id, native_id;
	uint32_t thread_frame;		   /* its innermost frame */
	uint32_t has_record, record_frame; /* `thread_frame` leads to what has the frame */
	uint32_t frame_code, frame_previous;
	uint32_t frame_mark; /* a byte: whether the interpreter was called for the frame */
	uint32_t entry_mark; /* not 0: a frame with this mark stands below the one it was called
				for, and has no function itself */
	uint32_t code_line, code_file, code_name;
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
#define PYTHON_TAG	    3ULL /* bits of a reference that are no address, from 3.14 on (_PyStackRef) */

struct profile_python {
	struct python_layout layout;
	uint64_t eval_from, eval_to; /* of _PyEval_EvalFrameDefault(), in the file */
	uint64_t rest_from, rest_to; /* what the compiler has put elsewhere of it */
	uint64_t runtime, code_type; /* _PyRuntime, PyCode_Type: from offset 0 as it is mapped */
};

/* Bit 63 only, without a branch: the verifier follows each branch of a walk's loop. */
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

/* JavaScriptCore: where its interpreter is, and what is followed from a frame to its name. */
#define JSC_FILES_MAX	64
#define JSC_RANGES_MAX	16
#define JSC_FRAME_WORDS 5 /* struct profile_raw_js */
#define JSC_IS_PAIR	1 /* the function has the executable of the code block */

struct profile_jsc {
	uint16_t callee_executable, rare_executable, block_owner, executable_unlinked;
	uint16_t unlinked_name, native_name, function_type, unused;
	uint32_t ranges, more_unused;
	struct {
		uint64_t from, to; /* in the file */
	} range[JSC_RANGES_MAX];
};

/* V8: where its own code is, and what is followed from a frame to its name. */
#define V8_FILES_MAX 64

struct profile_v8 {
	uint64_t builtins_from, builtins_to; /* in the file; 0, 0: not known */
	int64_t fp_context, fp_function;
	uint16_t map_type, function_shared, shared_name, shared_script;
	uint16_t function_first, function_last, context_first, context_last; /* types */
	uint16_t shared, unused[3];
};

/* Bits of struct profile_raw_js.call_site. */
#define V8_IS_TOP     1u /* the interrupted instruction */
#define V8_IS_BUILTIN 2u /* in code of the engine */
#define V8_IS_KIND    4u /* not of a function: `callee` is the kind of frame */

/* Files are named by device and inode, as one number. */
#define PROFILE_FILE_NONE  0 /* no file: generated code */
#define PROFILE_FILE_VDSO  1
#define PROFILE_MINOR_BITS 20 /* of a device, within the kernel (include/linux/kdev_t.h) */

static inline uint64_t profile_file_key(uint64_t device, uint64_t inode)
{
	uint64_t key = (device + 1) * 0x9e3779b97f4a7c15ULL ^ inode * 0xff51afd7ed558ccdULL;

	return key > PROFILE_FILE_VDSO ? key : key + 2;
}

enum profile_file_state {
	PROFILE_FILE_NEW,   /* its table is not made yet */
	PROFILE_FILE_READY, /* it has a table */
	PROFILE_FILE_PLAIN, /* it has no unwind information, or it could not be read */
};

struct profile_file {
	uint32_t state; /* enum profile_file_state */
	uint32_t table;
	uint32_t rules;
	uint32_t rows;
};

/* Internal to the backend. */
#define PROFILE_PYTHON_NAME 0x107c
#define PROFILE_RAW_WAIT    0x107d
#define PROFILE_RAW	    0x107e
#define PROFILE_SEEN	    0x107f

struct profile_raw_frame {
	uint64_t file;
	uint64_t offset; /* in the file; without a file: the address */
};

/* A function of Python. */
struct profile_raw_python {
	uint64_t code, name; /* the objects */
	uint64_t line;	     /* the first; PYTHON_IS_ENTRY: the interpreter was called for it */
};

/* Objects of the engine beside a frame in its code, at the sample. Those of V8: nothing, the
 * script, the shared function, its name or the object that has it. */
struct profile_raw_js {
	uint32_t index; /* of the user frame */
	uint32_t call_site;
	uint64_t block, callee; /* 0: none */
	uint64_t executable;	/* with JSC_IS_PAIR */
	uint64_t name;		/* the text object */
};

/* Followed by the user frames, by the addresses of the kernel's, by the frames of Python, by those
 * of JavaScript, innermost first each. */
struct profile_raw {
	struct sooth_record record;
	char process[PROFILE_NAME_BYTES];
	char thread[PROFILE_NAME_BYTES];
	uint32_t user_frames;
	uint32_t kernel_frames;
	uint32_t end; /* enum profile_end */
	uint16_t python_frames;
	uint16_t is_python_whole;
	uint64_t python_type; /* of code objects */
	uint64_t python_file; /* of the interpreter */
	uint64_t js_file;     /* the executable, if it has JavaScriptCore or V8; else 0 */
	uint16_t js_frames;
	uint16_t abi;	 /* of a system call */
	uint32_t call;	 /* its number; PROFILE_NO_CALL */
	uint64_t hash;	 /* of an allocation: of what follows; of a page fault: its address */
	uint64_t faults; /* that a page fault stands for */
	/* Only for a wait: */
	uint64_t waited_ns;
	uint32_t waker_pid, waker_tid; /* 0: not known */
	char waker[PROFILE_NAME_BYTES];
	uint32_t state; /* enum profile_wait_state */
	uint32_t flags; /* enum profile_wait_flags; else PROFILE_RAW_FAULT or 0 */
};

#define PROFILE_RAW_FAULT (1u << 31)

static inline const struct profile_raw_frame *profile_raw_user(const struct profile_raw *raw)
{
	return (const void *)(raw + 1);
}

static inline const uint64_t *profile_raw_kernel(const struct profile_raw *raw)
{
	return (const void *)(profile_raw_user(raw) + raw->user_frames);
}

static inline const struct profile_raw_python *profile_raw_python(const struct profile_raw *raw)
{
	return (const void *)(profile_raw_kernel(raw) + raw->kernel_frames);
}

static inline const struct profile_raw_js *profile_raw_js(const struct profile_raw *raw)
{
	return (const void *)(profile_raw_python(raw) + raw->python_frames);
}

/* The longest period of page faults, and shorter than any of the clock: one fault takes 0.5 us. */
#define PROFILE_FAULTS_MOST 20000
#define PROFILE_MOMENT_NS   10000000ull

/* The first sample with code of a file. */
struct profile_seen {
	struct sooth_record record;
	uint64_t file;
	uint64_t from, to; /* the mapping */
	uint64_t offset;   /* of the mapping in the file */
	uint64_t inode;
	uint32_t device_major;
	uint32_t device_minor;
	char name[64]; /* the last part of its path */
};

#define PROFILE_TEXT_BYTES 256 /* a power of two */

/* Letters as they stand in memory; a text with more bytes has none here. */
struct profile_python_text {
	uint64_t length;
	uint32_t state;
	uint32_t unused;
	unsigned char letters[PROFILE_TEXT_BYTES];
};

/* Before the first stack with that function. */
struct profile_python_name {
	struct sooth_record record;
	struct profile_raw_python frame;
	uint64_t file; /* of the interpreter */
	struct profile_python_text name, path;
};

#define PROFILE_CALL_NUMBERS 512 /* of an ABI; a power of two */

/* Fixed at load: the system calls whose stacks are taken, a bit each; the native ones, the others.
 */
struct profile_calls {
	uint64_t wanted[2][PROFILE_CALL_NUMBERS / 64];
	uint32_t has_all;
	uint32_t unused;
};

struct profile_control {
	uint64_t lost;	   /* samples that did not fit the ring */
	uint64_t least_ns; /* set by the collector: shorter waits are counted only */
	uint64_t short_waits, short_ns;
	/* Set by the collector: page faults of followed threads in a moment and on a CPU; 0: each.
	 */
	uint64_t faults_most;
};

/* State shared by all walks. */
struct walks_control {
	uint64_t files_full;  /* frames in a file for which there was no room */
	uint64_t pythons;     /* set by the collector: files of the interpreter that are known */
	uint64_t jscs;	      /* the same of engines of JavaScript */
	uint64_t tables_only; /* set by the collector: frame pointers are not followed */
};

#endif
