/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A language runtime, as sooth knows it: a row in runtimes.def, a folder beside this file, and in
 * the folder a struct runtime. Code about all languages uses that table (runtime_set.h) and names
 * no runtime.
 *
 * A runtime provides what it can: each member but `title` is optional (NULL or 0). `title` stands
 * where a function has no file. The order of the rows decides which runtime is called first.
 *
 * State. All members but these need a state for each recording: `state_size` zeroed bytes that
 * begin with struct runtime_state. `init` fills in the rest, `fini` frees it. Where the walk in the
 * kernel follows the runtime's objects, `kernel_map` is the BPF map of its files, filled by
 * runtime_share().
 *
 * Recognition. `signs` are names that only processes of this runtime have. `generates`: the runtime
 * makes code while it runs. A sample in such code shows `title`.
 *
 * Its heap. `heap` describes the memory that does not come from malloc. Where the runtime keeps
 * counters of the size of its heap and of the bytes in use, `heap.read` reads them from their file;
 * `process` is the open /proc/PID.
 *
 * Its objects. `count_objects` makes the runtime count them by class, as the user requested: writes
 * records of the probe objects, and all but the head of `end`. Returns NULL, or why there are none.
 *
 * A file. `see` gets each file that a sampled process has mapped as code, once or more. It keeps
 * the files that contain the engine, with the layout of their version. The number of a file is the
 * `file` of struct profile_raw_frame; `path` may be NULL, `fd` is valid during the call. The layout
 * is known by the version, or is in the file for debuggers, or is searched for in the process; an
 * uncertain layout gives no names rather than wrong ones. A file may never answer: use
 * timeout_call_file(). The state's `files` keep `file_size` bytes of each. `is_beside`: the engine
 * has objects beside its frames.
 *
 * Frames of a sample. `begin` gets each sample before its frames. `functions` gets each user frame,
 * innermost first, with the words that the walk found beside the frame, and sets which functions
 * the frame stands for: `out` is RUNTIME_NONE without any. Functions are numbers in the names that
 * all runtimes share (names_put()). A sample has no registers: only `meet` gets them. The process
 * runs on, so all that is read from it is checked, or counts only as the sample saw it; its memory
 * may be backed by a file that never answers, so timeout_call() reads it. `take` gets names that
 * the kernel side has read, before the sample that uses them.
 *
 * A walk in user space. `meet` gets each frame of a walk before the frame is counted, `end` gets
 * the complete walk: both put beside the frames the words that the kernel side would put there. For
 * their steps include runtime_walk.h.
 *
 * Waits of a process. `waits` writes records of tasks that run beside threads; `locks` sets which
 * thread waits for a lock of which other thread (wait_node.owners). Both get the data of
 * wait_reader.h.
 *
 * `limits` reports what could not be named, and why.
 */
#pragma once

#include <bpf/bpf.h>

#include "base/map.h"
#include "base/names.h"
#include "bpf/profile_walk.h"
#include "bpf/stacks.h"
#include "collect/backend.h"
#include "os/linux/files/timeout.h"
#include "probes/maps.h"

struct objects_process;
struct process_snapshot;
struct wait_reader;
struct wait_node;

#define RUNTIME_FUNCTIONS_MAX 64

struct runtime_state {
	enum runtime_id id;
	struct map files;	  /* uint64_t file -> data that is kept of it */
	int map;		  /* BPF: file -> data for the kernel side; negative: none */
	uint64_t *known;	  /* bits of known runtimes, in struct walks_control */
	struct names *names;	  /* "FUNCTION\0FILE:LINE\0" */
	const char *cache_folder; /* folder for layouts that were found; NULL: none */
	struct timeout timeout;
};

static inline void runtime_share(struct runtime_state *s, uint64_t file, const void *layout)
{
	if (s->map >= 0 && !bpf_map_update_elem(s->map, &file, layout, BPF_ANY))
		*s->known |= 1ULL << s->id;
}

/* Emits a limit if many of the frames have no name, with the counts by reason; reasons[i] is NULL:
 * this reason is no limit. */
void runtime_refused(struct backend_run *run, const char *what, const uint64_t *refused,
	const char *const *reasons, size_t count, uint64_t frames);

struct runtime_frame {
	const struct profile_raw *raw;
	uint32_t index;			    /* index of the user frame in the sample */
	const struct profile_words *beside; /* words of the runtime beside the frame; NULL: none */
};

enum runtime_place {
	RUNTIME_NONE,
	RUNTIME_INSTEAD,
	RUNTIME_INNER, /* the frame, which is kept, called these functions */
	RUNTIME_OUTER, /* these functions called the frame, which is kept */
};

struct runtime_functions {
	enum runtime_place place;
	uint32_t count;
	uint32_t names[RUNTIME_FUNCTIONS_MAX]; /* innermost first */
};

/* A walk up a stack in user space. */
struct runtime_walk {
	struct walk walk;
	bool (*read)(struct runtime_walk *w, void *out, uint32_t size, uint64_t address);
	const struct stacks_seen *thread;
	uint64_t offset; /* offset of the current frame in its file */
	bool is_copy;	 /* `read` has only a copy of the stack */
	bool has_no_fp;	 /* the frame pointer is not known */
};

#define RUNTIME_SIGNS_MAX 4

/* Names that show that a process has a runtime or an allocator. Another runtime may define the same
 * functions: `provides` has the bits of the runtimes whose functions mean nothing in a file with
 * these sections. After the name of a library comes ".", "-" or a digit. */
struct runtime_signs {
	enum maps_runtime runtime;
	uint32_t provides;
	const char *programs[RUNTIME_SIGNS_MAX];  /* whole names; only for code that it generates */
	const char *libraries[RUNTIME_SIGNS_MAX]; /* beginnings of file names */
	const char *functions[RUNTIME_SIGNS_MAX]; /* functions that the executable defines */
	const char *sections[RUNTIME_SIGNS_MAX]; /* beginnings of section names in the executable */
};

/* Memory that a runtime takes from the kernel and not from malloc. */
struct runtime_heap {
	const char *name;      /* NULL: the runtime has no such heap */
	const char *why;       /* why malloc does not see it */
	const char *remedy;    /* the runtime's own way to show the content of the heap */
	const char *in_malloc; /* text of the environment that makes it use malloc; NULL: none */
	const char *counters;  /* a part of the path of a mapped file; NULL: none */
	bool (*read)(struct maps_managed_heap *out, struct timeout *timeout, int process,
		const char *counters);
};

struct runtime {
	const char *title;
	struct runtime_signs signs;
	bool generates;
	struct runtime_heap heap;
	const char *(*count_objects)(struct timeout *timeout, const struct process_snapshot *of,
		struct backend_run *run, struct objects_process *end);
	const char *kernel_map;
	size_t state_size, file_size;
	void (*init)(void *state);
	void (*fini)(void *state);
	void (*see)(void *state, uint64_t file, const char *path, int fd);
	bool is_beside;
	void (*begin)(void *state, const struct profile_raw *raw);
	void (*functions)(
		void *state, const struct runtime_frame *at, struct runtime_functions *out);
	void (*take)(void *state, const struct profile_name *name);
	void (*meet)(void *state, struct runtime_walk *at);
	void (*end)(void *state, struct runtime_walk *at);
	void (*waits)(void *state, struct wait_reader *r, struct wait_node *n);
	void (*locks)(void *state, struct wait_reader *r, struct wait_node *n);
	void (*limits)(const void *state, struct backend_run *run);
};
