/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A backend implements one probe on one operating system: a table of functions with its own state.
 * It writes records to run->out, where the hub takes them after each call. Losses and limits are
 * records too.
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "collect/probe_options.h"
#include "model/probe.h"
#include "model/batch.h"
#include "model/process_id.h"
#include "model/stream_records.h"

struct agents_found;
struct launch;
struct os;

/* A privilege, kernel feature, file or tool that a backend cannot do without. */
struct need {
	const char *name;
	const char *help;
	/* Returns 0 if the need is met; else a negative errno, with err and its remedy filled. */
	int (*test)(const struct os *os, struct sooth_error *err);
};

struct backend_run {
	const struct backend *backend;
	const struct os *os;
	const struct log *log;
	struct probe_options options;
	void *state;
	struct buffer out;
	bool has_lost_comings;		   /* processes without a join record may appear */
	uint64_t reported_ns;		   /* losses are reported up to this time; 0: none yet */
	struct agents_found *agents_found; /* shared by the backends of the hub; NULL: none */
};

/* A step by which a backend becomes cheaper for the target. */
struct backend_step {
	const char *what; /* is no longer measured: "single system calls" */
	const char *how;  /* is measured instead: "calls are only counted" */
};

/* Cost of a mode that an option turns on, in place of the backend's default cost. */
struct backend_mode {
	const char *name; /* "bpf --pages"; NULL ends a list */
	const char *help;
	uint32_t target_ns, bystander_ns;
	const char *price_source;
	const char *event; /* "page fault" */
	bool (*is_on)(const struct probe_options *options);
};

struct backend {
	const char *name;
	const char *probe;
	const char *help;
	const struct need *const *needs; /* NULL at the end; NULL: none */
	/* Cost of one hit in the target and in other processes, and the source of these values; 0
	 * and NULL: nothing is attached. */
	uint32_t target_ns;
	uint32_t bystander_ns;
	const char *price_source;
	const char *event; /* what one hit is, as "system call"; NULL: nothing is attached */
	const struct backend_mode *modes; /* NULL: none */
	/* The backend has `drain`, but does not follow forks: it reports no new processes. */
	bool follows_none;
	/* Longest time from an event to the arrival of its record. */
	uint64_t lateness_ns;
	/* Its sample_cost() is UINT64_MAX unless the options request this backend. */
	bool only_on_request;
	/* In the default mode its events are at a fixed rate, or take far longer than their
	 * overhead: that needs no limit. */
	bool is_bounded;
	/* The backend only shows what the caller may see, so the hub checks no permission. */
	bool admits_itself;
	size_t state_size;
	/*
	 * Returns the approximate time of one sample, in ns. The cheapest backend of a probe is
	 * tried first; one with UINT64_MAX is not tried. NULL: 0.
	 */
	uint64_t (*sample_cost)(const struct probe_options *options);
	/* All following functions may be NULL: then there is nothing to do, or no value. */
	/* Refuses options that this backend cannot serve; another one may. */
	int (*suits)(const struct probe_options *options, struct sooth_error *err);
	int (*open)(struct backend_run *run, struct sooth_error *err);
	/* A process joins (interest not 0) or leaves the observed set. */
	int (*set)(struct backend_run *run, const struct process_id *process, unsigned interest,
		struct sooth_error *err);
	/* The command is about to run: adds to its environment. */
	int (*launching)(struct backend_run *run, struct launch *launch, struct sooth_error *err);
	/* Starts the records. */
	int (*start)(struct backend_run *run, struct sooth_error *err);
	/* Reads the records since the last drain, in a backend whose records come by themselves. */
	int (*drain)(struct backend_run *run, struct sooth_error *err);
	/* Returns the time up to which a drain has delivered all records. NULL: lateness_ns before
	 * the drain. */
	uint64_t (*complete_ns)(struct backend_run *run, uint64_t now_ns);
	/* Returns the events of the target so far, each of which costs target_ns. NULL: the
	 * overhead is not limited. */
	uint64_t (*hits)(struct backend_run *run);
	/* Time between two measurements of the overhead; 0: a second. */
	uint64_t look_ns;
	/* Elapsed time per CPU time that the target is taken to use at least, as one that idles has
	 * little to lose; 0: the default. */
	unsigned idle_parts;
	/* Observes less, so that the target is slowed less. False: only detaching is left. Fills
	 * `step` in both cases. NULL only without `hits`. */
	bool (*lighten)(struct backend_run *run, struct backend_step *step);
	/* Takes a sample, which is due. */
	int (*sample)(struct backend_run *run, struct sooth_error *err);
	/* A followed process has joined, or made an exec. */
	void (*joined)(struct backend_run *run, const struct process_id *process);
	/* Detaches, and writes records that are only known at the end. */
	int (*stop)(struct backend_run *run, struct sooth_error *err);
	bool defines_at_stop; /* stop() writes definitions of earlier records: always call it */
	/* Returns a descriptor that is readable when a drain is worthwhile; -1: none. */
	int (*descriptor)(struct backend_run *run);
	void (*close)(struct backend_run *run);
};

/* Returns the cost of the backend when no option turns on another mode. */
static inline struct backend_mode backend_default_mode(const struct backend *b)
{
	return (struct backend_mode){ b->name, b->help, b->target_ns, b->bystander_ns,
		b->price_source, b->event, NULL };
}

/* Returns whether the backend follows forks by itself. */
static inline bool backend_follows(const struct backend *b)
{
	return b->drain && !b->follows_none;
}

/* Returns the cost with these options. */
struct backend_mode backend_mode_of(const struct backend *b, const struct probe_options *options);
/* Returns 0 if all needs are met, else the error of the first one that is not. */
int backend_test_needs(const struct backend *backend, const struct os *os, struct sooth_error *err);
/* Reports lost records of another kind (`source`) than the probe's own, so that they do not count
 * as lost records of the probe. */
void backend_loss_of(struct backend_run *run, const char *source, uint64_t records, uint64_t bytes,
	const char *reason);
void backend_loss(struct backend_run *run, uint64_t records, uint64_t bytes, const char *reason);
void backend_limit(
	struct backend_run *run, const char *what, const char *reason, const char *remedy);
/* Reports that an optional part was not measured, with the reason and remedy of the error. */
void backend_limit_error(struct backend_run *run, const char *what, const struct sooth_error *err);
