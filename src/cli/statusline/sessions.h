/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions of agents with as few reads as possible: of one session its processes, else those of a
 * user. Rows are those of `sooth ps`. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "os/os.h"

#define SESSION_TEXT_SIZE 256

/* A process of a session. */
struct session_process {
	struct process_glance glance;
	uint32_t main_pid; /* of the main process of its session */
	bool is_main;
	uint32_t urgency; /* the lowest is the most urgent */
	uint64_t since_s; /* time in the activity; 0: short or not known */
	char agent[32];
	char session_id[64];
	char activity[SESSION_TEXT_SIZE];
};

struct sessions {
	struct buffer processes; /* struct session_process */
	uint32_t main_pid;	 /* of the session above this process; 0: none */
	bool is_scanned;	 /* every process of the user was read */
};

#define SESSIONS_ABOVE_MAX 64 /* ancestors */

/* Lists the ancestors of this process, the nearest first. */
size_t sessions_list_above(struct process_id above[SESSIONS_ABOVE_MAX]);
/* Finds the session of one of these ancestors, and its processes. */
void sessions_find_above(struct sessions *s, const struct process_id *above, size_t count);
/* Finds the sessions of this user. */
void sessions_find_of_user(struct sessions *s);
/* Reads the processes of these sessions, known by the PIDs of their main processes. */
void sessions_read(struct sessions *s, const pid_t *mains, size_t count);
/* Returns whether the process is the main process of a session. */
bool sessions_has_main(const struct sessions *s, uint32_t pid);
/* Drops the processes of all other sessions; 0: of none. */
void sessions_keep(struct sessions *s, uint32_t main_pid);
size_t sessions_count(const struct sessions *s);
struct session_process *sessions_at(const struct sessions *s, size_t i);
void sessions_fini(struct sessions *s);
