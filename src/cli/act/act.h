/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acting on processes: who is meant, who must not be touched, and what became of each.
 * Nothing is done to a pid: a process is held by a descriptor before it is signalled, and
 * looked at again after the user has agreed.
 */
#ifndef SOOTH_CLI_ACT_H
#define SOOTH_CLI_ACT_H

#include "analyze/process_table/verdicts.h"
#include "cli/command/options.h"
#include "cli/output/output.h"
#include "os/os.h"

enum act_outcome {
	ACT_TARGETED, /* nothing was done yet */
	ACT_WOULD,    /* --dry-run */
	ACT_ENDED,    /* by what was done */
	ACT_GONE,     /* before anything was done */
	ACT_STILL,    /* signalled, and there all the same */
	ACT_STOPPED,  /* it stands still now */
	ACT_GOING,    /* it runs again */
	ACT_REFUSED,  /* sooth does not do that */
	ACT_FAILED,   /* the system does not let it */
	ACT_OUTCOMES,
};

struct act_process {
	struct process_id id;
	int handle;	/* -1: none */
	uint32_t depth; /* below those that are meant; what started others comes first */
	enum act_outcome outcome;
	char agent[64]; /* whose it is; empty: nobody's; no pointer into a look that is over */
	bool has_role;
	enum agent_role role;
	bool is_foreground; /* its shell would see it stop */
	bool is_stopped;    /* by a signal, ours or another's */
	bool is_frozen;	    /* its control group is */
	char name[64];	    /* of a program; not escaped */
	char session[80];
	char why[192];
};

/* Who else belongs to those that are meant, also when it comes later. */
enum act_reach {
	ACT_ONLY,    /* nobody */
	ACT_TREE,    /* what they started */
	ACT_SESSION, /* and whoever is of their session */
};

struct act {
	const struct os *os;
	struct process_table process_table; /* of the last look */
	enum act_reach reach;
	const char *only_agent;	 /* name; what is not that itself is refused; NULL: any */
	bool may_be_any;	 /* also what is no agent's */
	bool is_whole;		 /* of a tree also what goes on by itself: see act_mean_others() */
	size_t unjudged;	 /* might be of the kind that is meant, but may not be read */
	size_t doubted;		 /* likewise, and it does not follow from what was seen */
	struct buffer processes; /* struct act_process */
};

void act_init(struct act *a, const struct os *os);
void act_fini(struct act *a);
/* Looks at the host, anew. */
int act_look(struct act *a, struct sooth_error *err);
size_t act_count(const struct act *a);
struct act_process *act_at(const struct act *a, size_t i);

/* --- who is meant; of a look --- */

/* -ESRCH: there is none. What must not be touched is taken as refused. */
int act_mean_pid(struct act *a, uint32_t pid, struct sooth_error *err);
/* Processes by their numbers, or by PID@START, the start in clock ticks after boot: then whoever
 * has the number by now is not meant. -ESRCH: there is none. */
int act_mean_pids(struct act *a, const struct arguments *arguments, struct sooth_error *err);
/* An id of a session, the beginning of one that no other begins with, or the pid of its main
 * process. -ESRCH, -E2BIG. */
int act_mean_session(struct act *a, const char *session, struct sooth_error *err);
void act_mean_verdict(struct act *a, enum verdict_kind kind);
/*
 * Adds those that belong to the ones meant and are not among them yet; returns how many. Below
 * what is left of a gone session some go on by themselves: what was made to stay, an agent with
 * which somebody works. They are left, with all below them; and whoever is above such a one that
 * has a terminal is refused, as it may be what keeps that terminal.
 */
size_t act_mean_others(struct act *a);
/* After another look: who is gone, or is no longer what it was, is left alone. */
void act_recheck(struct act *a, enum verdict_kind kind, bool has_kind);
/* --dry-run: nothing will be done to those that are meant. */
void act_would(struct act *a);
/* In the order in which to act: what starts others first. */
void act_sort(struct act *a);

/* --- doing it (act_send.c) --- */

struct act_progress {
	void (*tell)(void *user, size_t left); /* about once a second */
	void *user;
};

/* Holds everybody that is meant. */
void act_hold(struct act *a);
/* --dry-run of ending them: held and asked whether it would be allowed (signal 0), nothing more. */
void act_would_end(struct act *a);
/* Signals and waits. SIGKILL ends also what starts others as fast as it can. */
int act_end(struct act *a, int signal, uint64_t wait_ns, const struct act_progress *progress,
	struct sooth_error *err);

/* Freezes or thaws; how it was done, in words. */
int act_freeze(struct act *a, bool is_frozen, char *how, size_t room, struct sooth_error *err);

/* --- telling --- */

int act_emit(const char *name, const struct output_options *options, struct act *a,
	struct sooth_error *err);
/* A line a process, for people, before something is done to it. */
void act_list(const struct act *a, FILE *stream);
/* The exit status: 0 all is done, 1 some are still there, 2 refused, 3 not allowed. */
int act_exit(const struct act *a);

#endif
