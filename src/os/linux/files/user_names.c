/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of users. A thread looks them up, not a child process as in timeout.h: a name service that
 * waits for its server can be abandoned, and ends with the program; and in a process that shares
 * the memory but not the descriptors, the number of a descriptor that a service keeps open would
 * be a different file.
 */
#include "os/linux/files/user_names.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cursor.h"
#include "base/map.h"
#include "os/linux/files/timeout.h"

#define USER_NAME_SIZE 64

#define USERS_MAX	4096
#define LOOKUP_MS	500
#define ENTRY_BYTES	4096 /* of passwd(5) */
#define ENTRY_BYTES_MAX (1u << 20)
#define LATE_MAX	2

/* Shared by the thread and its caller; the last of the two frees it. */
struct lookup {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t uid;
	char name[USER_NAME_SIZE];
	bool is_done, is_left;
};

void user_names_init(struct user_names *u)
{
	assert(u);
	*u = (struct user_names){ 0 };
	map_init(&u->names, sizeof(uint32_t), USER_NAME_SIZE, USERS_MAX);
}

void user_names_fini(struct user_names *u)
{
	assert(u);
	map_fini(&u->names);
}

static void lookup_free(struct lookup *l)
{
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void find_name(uint32_t uid, char name[USER_NAME_SIZE])
{
	struct passwd entry, *found = NULL;
	char *bytes = NULL;

	for (size_t size = ENTRY_BYTES; size <= ENTRY_BYTES_MAX; size *= 2) {
		char *more = realloc(bytes, size);
		int status;

		if (!more)
			break;
		bytes = more;
		status = getpwuid_r(uid, &entry, bytes, size, &found);
		if (status != ERANGE)
			break;
	}
	if (found)
		snprintf(name, USER_NAME_SIZE, "%s", entry.pw_name);
	free(bytes);
}

static void *lookup_main(void *user)
{
	struct lookup *l = user;
	char name[USER_NAME_SIZE] = "";
	bool is_left;

	find_name(l->uid, name);
	pthread_mutex_lock(&l->lock);
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->is_done = true;
	is_left = l->is_left;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
	if (is_left)
		lookup_free(l);
	return NULL;
}

static struct lookup *lookup_new(uint32_t uid)
{
	struct lookup *l = calloc(1, sizeof(*l));
	sigset_t all, before;
	pthread_t thread;
	int status;

	if (!l)
		return NULL;
	l->uid = uid;
	pthread_mutex_init(&l->lock, NULL);
	timeout_cond_init(&l->changed);
	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = pthread_create(&thread, NULL, lookup_main, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status) {
		lookup_free(l);
		return NULL;
	}
	pthread_detach(thread);
	return l;
}

/* Looks up the name of a user. Returns false on a timeout. */
static bool look_up_user(uint32_t uid, char name[USER_NAME_SIZE])
{
	struct lookup *l = lookup_new(uid);
	struct timespec deadline;
	bool is_done;
	int status = 0;

	if (!l)
		return false;
	deadline = timeout_deadline(LOOKUP_MS);
	pthread_mutex_lock(&l->lock);
	while (!l->is_done && status != ETIMEDOUT)
		status = pthread_cond_timedwait(&l->changed, &l->lock, &deadline);
	is_done = l->is_done;
	l->is_left = !is_done;
	if (is_done)
		snprintf(name, USER_NAME_SIZE, "%s", l->name);
	pthread_mutex_unlock(&l->lock);
	if (is_done)
		lookup_free(l);
	return is_done;
}

const char *user_names_get(struct user_names *u, uint32_t uid)
{
	assert(u);

	bool is_new = false;
	char *name = map_put(&u->names, &uid, &is_new);

	if (!name)
		return "";
	if (is_new && u->late < LATE_MAX && !look_up_user(uid, name))
		u->late++;
	return name;
}

/* --- homes --- */

bool passwd_home(struct span *home, const void *data, size_t size, uint32_t uid)
{
	struct cursor file = cursor_over(data, size);

	while (!cursor_at_end(&file)) {
		struct span line = cursor_line(&file), found;
		struct cursor c = cursor_over(line.data, line.size);
		uint64_t number;

		cursor_until(&c, ':');
		cursor_until(&c, ':');
		if (!span_decimal(cursor_until(&c, ':'), &number) || number != uid)
			continue;
		cursor_until(&c, ':');
		cursor_until(&c, ':');
		found = cursor_until(&c, ':');
		if (!span_starts(found, "/") || memchr(found.data, 0, found.size))
			continue;
		*home = found;
		return true;
	}
	return false;
}
