/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of the probe maps, from the system's list of mappings. Allocators and runtimes are
 * recognized by the names of mapped libraries.
 *
 * Cannot be seen: the stack pointers of threads, what is swapped.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/bsd/sampling.h"
#include "probes/maps.h"

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

/* Runtimes by the beginning of the name of a mapped file. On FreeBSD the C library contains
 * jemalloc, on macOS an allocator for which records have no name. */
static const struct {
	const char *begins;
	uint32_t runtime;
} runtime_files[] = {
	{ "libjemalloc.", MAPS_JEMALLOC },
	{ "libc.so.7", MAPS_JEMALLOC },
	{ "libmimalloc.", MAPS_MIMALLOC },
	{ "libtcmalloc", MAPS_TCMALLOC },
	{ "libjavascriptcoregtk", MAPS_JAVASCRIPTCORE },
	{ "JavaScriptCore", MAPS_JAVASCRIPTCORE },
	{ "node", MAPS_V8 },
	{ "libpython", MAPS_PYTHON },
	{ "libjvm.", MAPS_JAVA },
};

struct visit {
	struct backend_run *run;
	const struct process_id *process;
	struct maps_process end;
	uint32_t found; /* bits: runtimes that have their record */
};

static void find_runtime(struct visit *v, struct span path)
{
	struct span name = path_base(path);
	char why[160];
	struct maps_runtime_found r = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(runtime_files); i++) {
		uint32_t bit = 1u << runtime_files[i].runtime;
		struct record_tail tail[] = { { &r.why, why, 0 } };

		if (v->found & bit || !span_starts(name, runtime_files[i].begins))
			continue;
		v->found |= bit;
		snprintf(why, sizeof(why), "%.*s is mapped",
			(int)(name.size < 100 ? name.size : 100), name.data);
		tail[0].size = strlen(why);
		r.record = bsd_record(v->run, v->process, 0, MAPS_RUNTIME);
		r.runtime = runtime_files[i].runtime;
		RECORD_APPEND(&v->run->out, &r, tail, ARRAY_SIZE(tail));
	}
}

static bool write_mapping(void *user, const struct bsd_mapping *m)
{
	struct visit *v = user;
	struct maps_mapping r = m->mapping;
	struct record_tail tail[] = { { &r.path, m->path.data, m->path.size } };

	r.record = bsd_record(v->run, v->process, 0, MAPS_MAPPING);
	RECORD_APPEND(&v->run->out, &r, tail, ARRAY_SIZE(tail));
	v->end.mappings++;
	v->end.rss_anonymous_bytes += r.anonymous_bytes;
	if (r.inode && m->path.size)
		find_runtime(v, m->path);
	return true;
}

static void sample_process(struct backend_run *run, const struct bsd_process *process)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct visit v = { .run = run, .process = &process->id };
	struct bsd_members *m = run->state;
	int status = s->mappings(s, (pid_t)process->id.pid, write_mapping, &v);

	/* The record has one state for all values of a mapping. */
	if (s->maps_lack && !m->has_reported)
		backend_limit(run, s->maps_lack, "not available on this system", "");
	m->has_reported = true;
	v.end.record = bsd_record(run, &process->id, 0, MAPS_PROCESS);
	v.end.mappings_state = v.end.figures_state = bsd_state(status);
	/* Peaks, swap and the other sums share one state: not available. */
	v.end.status_state = v.end.max_state = UNSUPPORTED;
	RECORD_APPEND(&run->out, &v.end, NULL, 0);
}

BSD_SAMPLING_FUNCTIONS(maps, sample_process)
