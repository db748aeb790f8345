/* SPDX-License-Identifier: BSD-2-Clause */
/* Users of a limit: the processes that share it with the diagnosed one, the inotify watches of
 * a user, and the descriptors of the process. */
#pragma once

#include "analyze/diagnosis/check.h"
#include "probes/limits.h"

#define LIMIT_USERS_MAX 3

struct limit_user {
	const struct limits_holder *holder;  /* NULL: found in the process table */
	const struct process_entry *process; /* the user in the process table; NULL: not there */
	double amount;			     /* CPU: percent of one */
};

struct limit_users {
	struct limit_user top[LIMIT_USERS_MAX]; /* largest first */
	size_t count;
	double sum;	 /* sum of all users that were found */
	uint32_t unread; /* processes that could not be read */
};

/* Finds the users of a control group, peer or mount point; `place` without text: of all places. */
void limit_users_find(struct limit_users *out, const struct check *e, enum limits_shared resource,
	struct span place);
/* Finds the processes of the host that use most CPU time. */
void limit_users_of_host(struct limit_users *out, const struct check *e);
/* Finds the processes of the user of the process by their threads. */
void limit_users_of_user(struct limit_users *out, const struct check *e);
bool limit_user_is_self(const struct check *e, const struct limit_user *u);
/* Appends "; node (4711) has 117, this process 2", without users below a tenth of the sum; nothing
 * if none is known. CPU and memory are written with their units. */
void limit_users_put(struct buffer *out, const struct check *e, const struct limit_users *users,
	enum limits_shared resource);
/* Appends what takes the space: ", 24M of it /mnt/app.log.1 (deleted), which cat (4711) has open".
 * Returns the PID of that process; 0: none has it open. */
uint32_t limit_users_put_space(struct buffer *out, const struct check *e, struct span point);
/* Appends the full file system on which the folder is, and what takes its space: "; /data is full,
 * 24M of it ..."; without a folder "; perhaps because /data is full"; nothing if none is full. */
void limit_users_put_full(struct buffer *out, const struct check *e, struct span folder);
/* Adds that some processes could not be read, so that another may use more. */
void limit_users_unseen(struct check_result *out, const struct limit_users *users);

/* Objects of inotify; each kind has a limit of its own, for all processes of a user. */
enum watch_kind {
	WATCH_WATCHES,
	WATCH_INSTANCES,
	WATCH_KINDS,
};

/* The kernel does not report the sums: those of the sampled processes are lower bounds. */
struct watch_use {
	uint64_t own[WATCH_KINDS], sum[WATCH_KINDS], limit[WATCH_KINDS];
	/* The user's processes with most watches and instances, and their numbers; lowest PID on a
	 * tie. */
	struct process_id most[WATCH_KINDS];
	uint64_t most_count[WATCH_KINDS];
	unsigned read, there; /* number of the user's processes: sampled; existing */
};

/* False: the watches of the process count against another user's limit, or an unknown one. Then
 * only `own` is set, if known. */
bool watch_use_of(struct watch_use *u, const struct check *e);

/* Appends the kind of most open descriptors, a file, connections to one peer, or a type: "249 of
 * them /srv/old-shop.conf" or "118 of them connections to 10.0.0.1:443"; false: no kind has half of
 * the descriptors. */
bool fd_most_put(struct buffer *out, const struct check *e);
