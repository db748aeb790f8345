/* SPDX-License-Identifier: BSD-2-Clause */
/* Acting on processes: selecting them, protecting some, and the result for each. A process is
 * pinned by a descriptor before it is signalled, so a reused PID is never hit, and it is checked
 * again after the user has agreed. */
#pragma once

#include "cli/command/command.h"
#include "analyze/process_table/verdicts.h"
#include "cli/output/output.h"
#include "os/os.h"

enum act_outcome {
	ACT_SELECTED, /* selected, nothing was done yet */
	ACT_WOULD,    /* would be signalled: --dry-run */
	ACT_ENDED,    /* the signal ended the process */
	ACT_GONE,     /* ended before anything was done */
	ACT_STILL,    /* signalled, but still running */
	ACT_STOPPED,  /* now stopped */
	ACT_GOING,    /* resumed */
	ACT_REFUSED,  /* refused by sooth */
	ACT_FAILED,   /* refused by the system */
	ACT_OUTCOMES,
};

struct act_process {
	struct process_id id;
	int handle;	/* pidfd; -1: none */
	uint32_t depth; /* below the selected process; parents come first */
	enum act_outcome outcome;
	char agent[64]; /* owning agent; empty: none; copied, as scans are repeated */
	bool has_role;
	enum agent_role role;
	bool is_foreground; /* the process is the foreground job of its shell */
	bool is_stopped;    /* stopped by a signal */
	bool is_frozen;	    /* its control group is frozen */
	char name[64];	    /* name of the program; not escaped */
	char session[80];
	char why[192];
};

/* Selects which processes are added to the selected ones, including ones that start later. */
enum act_reach {
	ACT_ONLY,    /* no descendants */
	ACT_TREE,    /* the processes and their descendants */
	ACT_SESSION, /* the processes, their descendants, and other processes of their sessions */
};

struct act {
	const struct os *os;
	struct process_table process_table; /* the last scan */
	enum act_reach reach;
	const char *only_agent;	 /* agent id; other processes are refused; NULL: any */
	bool is_detailed;	 /* scans read executables and control groups of all processes */
	bool may_be_any;	 /* processes of no agent are allowed */
	bool is_whole;		 /* a tree includes daemons; see act_select_others() */
	size_t undecided_access; /* processes undecided because permission was denied */
	size_t doubted;		 /* processes undecided because too little was seen */
	struct buffer processes; /* struct act_process */
};

void act_init(struct act *a, const struct os *os);
void act_fini(struct act *a);
/* Scans the host again. */
int act_scan_host(struct act *a, struct sooth_error *err);
size_t act_count(const struct act *a);
struct act_process *act_at(const struct act *a, size_t i);

/* --- selecting, in the last scan --- */

/* Selects a PID; a protected process is selected as refused. -ESRCH: it does not exist. */
int act_select_pid(struct act *a, uint32_t pid, struct sooth_error *err);
/* Selects a PID, or PID@START with the start in clock ticks after boot: it is an error if another
 * process has that PID now. -ESRCH: the process does not exist. */
int act_select_identity(struct act *a, const char *text, struct sooth_error *err);
/* Selects a session by its id, a unique beginning of its id, or the PID of its main process.
 * -ESRCH, -E2BIG. */
int act_select_session(struct act *a, const char *session, struct sooth_error *err);
void act_select_verdict(struct act *a, enum verdict_kind kind);
/* Adds the descendants and session members that are not selected yet; returns their number. In an
 * ended session, skips daemons and agents in use with all their descendants. An ancestor of a
 * process with a terminal is refused, as it may keep the terminal open. */
size_t act_select_others(struct act *a);
/* Call this after a new scan. Marks processes that are gone or have changed, so that nothing is
 * done to them. */
void act_recheck(struct act *a, enum verdict_kind kind, bool has_kind);
/* Sorts the processes in the order of the action: parents first. */
void act_sort(struct act *a);

/* --- doing it (act_send.c) --- */

struct act_progress {
	void (*tell)(void *user, size_t left); /* about once a second */
	void *user;
};

void act_pin_processes(struct act *a);
/* Pins the processes and checks the permission (signal 0), for kill --dry-run. */
void act_check_permission(struct act *a);
/* Signals the processes and waits. SIGKILL also ends a process that forks without pause. */
int act_end(struct act *a, int signal, uint64_t wait_ns, const struct act_progress *progress,
	struct sooth_error *err);

/* --- output --- */

extern const struct command_table act_tables[];
/* Emits the results. A closed output pipe is no error: the exit status is about the processes. */
int act_emit(const char *name, const struct output_options *options, struct act *a,
	struct sooth_error *err);
/* Returns the exit status: 0 all done, 1 some still running, 2 some refused, 3 permission
 * denied. */
int act_exit(const struct act *a);
