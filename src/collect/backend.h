/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A backend is how one operating system delivers one probe. It is a table of
 * functions over a state of its own; it writes records into run->out and the
 * hub takes them from there after each call. Loss and limits are records too.
 */
#ifndef SOOTH_COLLECT_BACKEND_H
#define SOOTH_COLLECT_BACKEND_H

#include <sooth/observer.h>

#include "base/error.h"
#include "base/log.h"
#include "model/probe.h"
#include "model/batch.h"
#include "model/process_id.h"
#include "model/stream_records.h"

struct agent_set;
struct agents_found;
struct launch;
struct os;

/* A privilege, kernel feature, file or tool that a backend cannot do without. */
struct need {
	const char *name;
	const char *help;
	/* 0 when it is there; else a negative errno and the error filled, remedy included. */
	int (*test)(const struct os *os, struct sooth_error *err);
};

/* Values of observer.heap_engine: where allocations of a launched command are observed. */
enum heap_engine {
	HEAP_ENGINE_AUTO,
	HEAP_ENGINE_BPF,     /* in the kernel */
	HEAP_ENGINE_PRELOAD, /* in the process */
	HEAP_ENGINE_MIXED,   /* in the process where its program allows that, else in the kernel */
};

struct probe_options {
	/* As the caller set them; may_pause only for a command. Text lasts until it has started. */
	struct sooth_observer_options observer;
	unsigned interest; /* enum interest, of all targets together */
	bool is_host;	   /* every process, not only the added ones */
	uint32_t uid;	   /* with has_uid: only, and all, processes of that user */
	bool has_uid;
	const struct agent_set *agents; /* NULL: the built-in ones; keep it with a reference */
	bool is_launched;		/* the target is a command */
};

struct backend_run {
	const struct backend *backend;
	const struct os *os;
	const struct log *log;
	struct probe_options options;
	void *state;
	struct buffer out;
	bool has_lost_comings;		   /* records of unknown processes may come */
	uint64_t reported_ns;		   /* losses are reported up to here; 0: none yet */
	struct agents_found *agents_found; /* of the hub; NULL: there is none */
};

/* Cost of a mode that an option turns on, beside the backend's cost without it. */
struct backend_mode {
	const char *name; /* "bpf --pages"; NULL ends a list */
	const char *help;
	uint32_t target_ns, bystander_ns;
	const char *price_source;
};

struct backend {
	const char *name;
	const char *probe;
	const char *help;
	const struct need *const *needs; /* NULL at the end; NULL: none */
	/* Cost of one hit for the target and other processes, and the source of that value; 0 and
	 * NULL: nothing is attached. */
	uint32_t target_ns;
	uint32_t bystander_ns;
	const char *price_source;
	const struct backend_mode *modes; /* NULL: none */
	/* It has a drain but does not follow forks: it reports no new processes. */
	bool follows_none;
	/* How much older than its arrival a record may be. */
	uint64_t lateness_ns;
	/* It shows only what its caller may see, so the hub does not ask whether it may attach. */
	bool admits_itself;
	size_t state_size;
	/*
	 * Approximate time of one sample of these processes (struct process_id), in ns: the backend
	 * of a probe that takes least is tried first, UINT64_MAX is not tried at all. NULL: 0.
	 */
	uint64_t (*sample_cost)(const struct os *os, const struct probe_options *options,
		const struct buffer *processes);
	/* The functions may be NULL, from here on all: nothing is to be done then, or there is
	 * none. */
	int (*open)(struct backend_run *run, struct sooth_error *err);
	/* A process joins (interest not 0) or leaves the set that is observed. */
	int (*set)(struct backend_run *run, const struct process_id *process, unsigned interest,
		struct sooth_error *err);
	/* The command is about to run: what it is to find in its environment. */
	int (*launching)(struct backend_run *run, struct launch *launch, struct sooth_error *err);
	/* Starts the records. */
	int (*start)(struct backend_run *run, struct sooth_error *err);
	/* Takes the records that have come since, where records come by themselves. */
	int (*drain)(struct backend_run *run, struct sooth_error *err);
	/* Returns up to when a drain has given all records. NULL: up to lateness_ns before the
	 * drain. */
	uint64_t (*complete_ns)(struct backend_run *run, uint64_t now_ns);
	/* A sample is due. */
	int (*sample)(struct backend_run *run, struct sooth_error *err);
	/* A process that is followed has joined or replaced its program. */
	void (*joined)(struct backend_run *run, const struct process_id *process);
	/* Detach, and write what is known only at the end. */
	int (*stop)(struct backend_run *run, struct sooth_error *err);
	bool defines_at_stop; /* what earlier records refer to: it is stopped in any case */
	/* A descriptor that becomes readable when a drain is worth it, -1: none. */
	int (*descriptor)(struct backend_run *run);
	void (*close)(struct backend_run *run);
};

/* Whether it follows forks by itself. */
static inline bool backend_follows(const struct backend *b)
{
	return b->drain && !b->follows_none;
}

/* 0 when all are met, else what the first that is not says. */
int backend_test_needs(const struct backend *backend, const struct os *os, struct sooth_error *err);
/* Records of another kind than the probe's own are lost under that kind's name: what counts the
 * probe's records counts them not. */
void backend_loss_of(struct backend_run *run, const char *source, uint64_t records, uint64_t bytes,
	const char *reason);
void backend_loss(struct backend_run *run, uint64_t records, uint64_t bytes, const char *reason);
void backend_limit(
	struct backend_run *run, const char *what, const char *reason, const char *remedy);
/* The error of something that could be done without, as a limit. */
void backend_limit_error(struct backend_run *run, const char *what, const struct sooth_error *err);

#endif
