/* SPDX-License-Identifier: BSD-2-Clause */
/* Resolving names of addresses, with a timeout. */
#include "cli/resolve.h"

#include <assert.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/units.h"

#define WAIT_SLICE_NS (100 * NS_PER_MS)
#define ADDRESS_SIZE  64
#define NAME_SIZE     256
#define ADDRESSES_MAX 4096

struct name {
	char text[NAME_SIZE]; /* empty: there is none */
};

/* A query, shared with the thread: the side that ends last frees it. */
struct asking {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char address[ADDRESS_SIZE]; /* empty: no query */
	struct name answer;
	bool is_answered;
	bool is_left; /* the owner has gone */
};

struct resolver {
	struct asking *asking; /* NULL: no thread, or it is stuck in a query */
	struct map names;      /* char[ADDRESS_SIZE] -> struct name */
	uint64_t left_ns;
	unsigned unanswered;
};

/* --- the thread --- */

static void look_up_name(const char *address, struct name *answer)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *found = NULL;

	answer->text[0] = '\0';
	if (getaddrinfo(address, NULL, &hints, &found))
		return;
	if (getnameinfo(found->ai_addr, found->ai_addrlen, answer->text, sizeof(answer->text), NULL,
		    0, NI_NAMEREQD))
		answer->text[0] = '\0';
	freeaddrinfo(found);
}

static void asking_free(struct asking *a)
{
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static void *thread_main(void *user)
{
	struct asking *a = user;

	pthread_mutex_lock(&a->lock);
	while (!a->is_left) {
		char address[ADDRESS_SIZE];
		struct name answer;

		if (!a->address[0]) {
			pthread_cond_wait(&a->changed, &a->lock);
			continue;
		}
		memcpy(address, a->address, sizeof(address));
		pthread_mutex_unlock(&a->lock);
		look_up_name(address, &answer);
		pthread_mutex_lock(&a->lock);
		a->answer = answer;
		a->address[0] = '\0';
		a->is_answered = true;
		pthread_cond_broadcast(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	asking_free(a);
	return NULL;
}

static struct asking *asking_new(void)
{
	struct asking *a = calloc(1, sizeof(*a));
	sigset_t all, before;
	pthread_t thread;
	int status;

	if (!a)
		return NULL;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	/* Signals are handled by the program, not by this thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = pthread_create(&thread, NULL, thread_main, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status) {
		asking_free(a);
		return NULL;
	}
	pthread_detach(thread);
	return a;
}

/* Leaves a query to the thread, which frees it. */
static void asking_leave(struct asking *a)
{
	a->is_left = true;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

/* --- its owner --- */

int resolver_new(struct resolver **out, unsigned total_ms, struct sooth_error *err)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return error_no_memory(err);
	map_init(&r->names, ADDRESS_SIZE, sizeof(struct name), ADDRESSES_MAX);
	r->left_ns = total_ms * NS_PER_MS;
	r->asking = asking_new();
	if (!r->asking) {
		resolver_free(r);
		return error_no_memory(err);
	}
	*out = r;
	return 0;
}

/* Waits up to `end_ns`, or for a moment: macOS has no condition on the monotonic clock, and the
 * system clock may be set back. */
static void wait_for_change(struct asking *a, uint64_t end_ns)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t wait_ns = end_ns > now_ns ? end_ns - now_ns : 0, until_ns;

	if (wait_ns > WAIT_SLICE_NS)
		wait_ns = WAIT_SLICE_NS;
	until_ns = clock_realtime_ns() + wait_ns;
	pthread_cond_timedwait(&a->changed, &a->lock,
		&(struct timespec){ .tv_sec = (time_t)(until_ns / NS_PER_S),
			.tv_nsec = (long)(until_ns % NS_PER_S) });
}

/* Waits for the answer. False: the timeout came first. */
static bool wait_for(struct resolver *r, const char *address, struct name *answer)
{
	struct asking *a = r->asking;
	uint64_t begin_ns = clock_monotonic_ns(), end_ns = begin_ns + r->left_ns, took_ns;

	pthread_mutex_lock(&a->lock);
	strcpy(a->address, address);
	a->is_answered = false;
	pthread_cond_broadcast(&a->changed);
	while (!a->is_answered && clock_monotonic_ns() < end_ns)
		wait_for_change(a, end_ns);
	took_ns = clock_monotonic_ns() - begin_ns;
	r->left_ns -= took_ns < r->left_ns ? took_ns : r->left_ns;
	if (!a->is_answered) {
		r->asking = NULL;
		asking_leave(a);
		return false;
	}
	*answer = a->answer;
	pthread_mutex_unlock(&a->lock);
	return true;
}

bool resolver_name(void *resolver, const char *address, char *name, size_t size)
{
	struct resolver *r = resolver;
	char key[ADDRESS_SIZE] = { 0 };
	struct name *known;
	bool is_new;

	if (strlen(address) >= sizeof(key) || !address[0] || !size)
		return false;
	memcpy(key, address, strlen(address));
	known = map_put(&r->names, key, &is_new);
	if (!known)
		return false;
	if (is_new && (!r->asking || !r->left_ns || !wait_for(r, key, known)))
		r->unanswered++;
	if (!known->text[0] || strlen(known->text) >= size)
		return false;
	strcpy(name, known->text);
	return true;
}

unsigned resolver_unanswered(const struct resolver *r)
{
	assert(r);
	return r->unanswered;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	if (r->asking) {
		pthread_mutex_lock(&r->asking->lock);
		asking_leave(r->asking);
	}
	map_fini(&r->names);
	free(r);
}
