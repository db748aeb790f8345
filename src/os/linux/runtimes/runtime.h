/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A language's runtime, as sooth knows it: a row in runtimes.def, a folder beside this file, and in
 * it a struct runtime. Code about all languages goes through that table (runtime_set.h) and names
 * none.
 *
 * A runtime gives what it can: each member but `title` is optional (NULL or 0). `title` stands
 * where a function has no file. The order of the rows decides which one is called first.
 *
 * State. All members but these need a state for each recording: `state_size` zeroed bytes that
 * begin with struct runtime_state. `init` fills in the rest, `fini` frees it. Where the walk in the
 * kernel follows the runtime's objects, `kernel_map` is the BPF map of its files, filled by
 * runtime_share().
 *
 * Recognition. `signs` are what a process of the runtime has, and no other one. `generates`: it
 * makes code while it runs. A sample in such code shows `title`.
 *
 * Its heap. `heap` is the one that malloc does not have. Where the runtime itself says how large it
 * is and what remains in it, `heap.read` reads that from the file of its counters; `process` is its
 * open /proc/PID.
 *
 * A file. `see` gets each file that a sampled process has mapped as code, once or more, and keeps
 * those that have the engine, with the layout of their version. Its number is the `file` of struct
 * profile_raw_frame; `path` may be NULL, `fd` is valid during the call. The layout is known by the
 * version, or stands in the file for debuggers, or is searched for in the process; a layout that is
 * not certain gives no names rather than wrong ones. A file may never answer: timeout_call_file().
 * The state's `files` keep `file_size` bytes of each. `is_beside`: the engine has objects beside
 * its frames.
 *
 * Frames of a sample. `begin` gets each sample before its frames. `functions` gets each user frame
 * of it, innermost first, with what the walk found beside it, and sets which functions the frame
 * stands for: `out` is RUNTIME_NONE without any. They are numbers in the names that all runtimes
 * share (names_put()). A sample has no registers: only `meet` gets these. The process runs on: what
 * is read of it is checked, or counts only as the sample saw it; it may be backed by a file that
 * never answers, so a timeout_call() reads it. `take` gets names that the kernel side has read,
 * before such a sample.
 *
 * A walk in user space. `meet` gets each frame that a walk is at, before it is counted, `end` the
 * whole of them: they put beside the frames what the kernel side puts there. For their steps
 * include runtime_walk.h.
 *
 * Waits of a process. `waits` writes records of what runs in it beside threads; `locks` sets which
 * thread waits for a lock of which other one (wait_node.owners). Both get what wait_reader.h has.
 *
 * `limits` reports what could not be named, and why.
 */
#ifndef SOOTH_OS_LINUX_RUNTIME_H
#define SOOTH_OS_LINUX_RUNTIME_H

#include <bpf/bpf.h>

#include "base/map.h"
#include "base/names.h"
#include "bpf/profile_walk.h"
#include "bpf/stacks.h"
#include "collect/backend.h"
#include "os/linux/files/timeout.h"
#include "probes/maps.h"

struct wait_reader;
struct wait_node;

#define RUNTIME_FUNCTIONS_MAX 64

struct runtime_state {
	enum runtime_id id;
	struct map files;    /* uint64_t file -> what is kept of it */
	int map;	     /* BPF: file -> what the kernel side needs of it; negative: none */
	uint64_t *known;     /* of struct walks_control */
	struct names *names; /* "FUNCTION\0FILE:LINE\0" */
	const char *cache_folder; /* for layouts that were found; NULL: none */
	struct timeout timeout;
};

static inline void runtime_share(struct runtime_state *s, uint64_t file, const void *layout)
{
	if (s->map >= 0 && !bpf_map_update_elem(s->map, &file, layout, BPF_ANY))
		*s->known |= 1ULL << s->id;
}

/* A limit, where many of the frames have no name; by `reasons`, of which some may be no limit:
 * NULL.
 */
void runtime_refused(struct backend_run *run, const char *what, const uint64_t *refused,
	const char *const *reasons, size_t count, uint64_t frames);

struct runtime_frame {
	const struct profile_raw *raw;
	uint32_t index;			    /* of the user frame */
	const struct profile_words *beside; /* of the runtime; NULL: nothing */
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
	uint64_t offset; /* of the frame that it is at, in its file */
	bool is_copy;	 /* of the stack, which is all that `read` has */
	bool has_no_fp;	 /* the frame pointer is not known */
};

#define RUNTIME_SIGNS_MAX 4

/* Names by which a process has a runtime or an allocator. Others may define functions of it:
 * `provides` has the bits of runtimes whose functions mean nothing in a file with these sections.
 * The name of a library goes on with ".", "-" or a digit.
 */
struct runtime_signs {
	enum maps_runtime runtime;
	uint32_t provides;
	const char *programs[RUNTIME_SIGNS_MAX];  /* whole names; only for code that it generates */
	const char *libraries[RUNTIME_SIGNS_MAX]; /* begin of the file's name */
	const char *functions[RUNTIME_SIGNS_MAX]; /* that the executable defines */
	const char *sections[RUNTIME_SIGNS_MAX];  /* begin of the name, in the executable */
};

/* Memory that a runtime takes from the kernel, and not from malloc. */
struct runtime_heap {
	const char *name;      /* NULL: it has none */
	const char *why;       /* it is not seen in malloc */
	const char *remedy;    /* of the runtime's own: what shows what is in it */
	const char *in_malloc; /* a part of the environment with which malloc has it; NULL: none */
	const char *counters;  /* a part of the path of a file that is mapped; NULL: none */
	bool (*read)(struct maps_managed_heap *out, struct timeout *timeout, int process,
		const char *counters);
};

struct runtime {
	const char *title;
	struct runtime_signs signs;
	bool generates;
	struct runtime_heap heap;
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

#endif
