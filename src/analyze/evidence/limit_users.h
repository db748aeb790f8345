/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that use up a limit which the diagnosed process shares with them. */
#ifndef SOOTH_ANALYZE_LIMIT_USERS_H
#define SOOTH_ANALYZE_LIMIT_USERS_H

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
/* Adds that some processes could not be read, so that another may use more. */
void limit_users_unseen(struct check_result *out, const struct limit_users *users);

#endif
