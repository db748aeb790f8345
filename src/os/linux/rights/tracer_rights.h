/* SPDX-License-Identifier: BSD-2-Clause */
/* The rights of a tracer that the caller starts: by the capabilities that the tracer would have
 * after its exec (capabilities(7)), and the settings that limit it. They are derived from rules;
 * sooth tries no tracer. */
#pragma once

#include <stdbool.h>

#include "probes/host.h"

/* How a tracer gets its data. */
enum tracer_way {
	TRACER_STARTS, /* it runs the program itself, changed or emulated */
	TRACER_STARTS_OR_PTRACE,
	TRACER_PTRACE,	    /* ptrace(2), process_vm_readv(2) */
	TRACER_PERF,	    /* perf_event_open(2) */
	TRACER_PERF_STARTS, /* the same, including the kernel's part, for programs it starts */
	TRACER_BPF,
	TRACER_TRACEFS,
	TRACER_PACKETS, /* sockets that see every packet */
	TRACER_FANOTIFY,
	TRACER_MODULE, /* it loads a module of its own into the kernel */
	TRACER_ROOT,   /* it needs full root */
	TRACER_WAYS,
};

#define TRACER_UNKNOWN (-100) /* the setting does not exist */

struct tracer_rights {
	uint64_t capabilities; /* of a plain program, in the initial user namespace */
	uint64_t inner;	       /* the same in the caller's own user namespace */
	uint64_t bounding;     /* the most that a program's file can give */
	bool gets_from_files;  /* whether files can give any */
	bool is_root;
	bool may_use_tracefs; /* tracefs is accessible without a capability */
	int ptrace_scope;     /* setting of Yama */
	int perf_event_paranoid;
};

/* Reads the caller's rights at this moment. */
void tracer_rights_read(struct tracer_rights *rights);

struct tracer_verdict {
	enum host_reach reach;
	const char *missing; /* text: what would allow more; NULL: nothing */
};

/* Decides. `of_file`: capabilities that the tracer's file has. */
struct tracer_verdict tracer_rights_decide(
	const struct tracer_rights *rights, enum tracer_way way, uint64_t of_file);
/* Returns the general needs of a way, in words. */
const char *tracer_way_need(enum tracer_way way);
