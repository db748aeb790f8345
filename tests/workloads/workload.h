/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every scenario shares: the option table, the "ready" and --hold protocol, the truth file,
 * and children which cannot outlive their parent. A scenario is one file exporting one
 * `const struct scenario scenario_<name>` and one row in scenarios.def.
 *
 * Functions return 0 or a negative errno. -EOPNOTSUPP from run() means that this machine cannot
 * make the state: the program then ends with 77, which test harnesses read as "skipped".
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SEC	     UINT64_C(1000000000)
#define NS_PER_MS	     UINT64_C(1000000)
#define WORKLOAD_SECONDS_MAX 3600

#define EXIT_USAGE 2
#define EXIT_SKIP  77

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum param_kind {
	PARAM_FLAG,    /* bool */
	PARAM_NUMBER,  /* uint64_t, within min and max */
	PARAM_SECONDS, /* uint64_t, given as decimal seconds, kept as nanoseconds */
	PARAM_TEXT,    /* char *, a copy */
	PARAM_BYTES,   /* struct bytes, with \xNN and \\ decoded */
};

struct bytes {
	char *data; /* NULL: not given */
	size_t len;
};

/* A table of these ends with a row without name. A row without help is internal and not shown. */
struct param {
	const char *name;
	const char *arg;
	const char *help;
	enum param_kind kind;
	void *value;
	uint64_t min;
	uint64_t max;
};

struct workload {
	int argc;
	char **argv;
	bool hold;
	char *truth_path;
	uint64_t duration_ns;
	uint64_t seed;
};

struct scenario {
	const char *name;
	const char *help;
	const struct param *params;
	int (*run)(const struct workload *w);
};

/* params.c */
int param_parse(const struct param *common, const struct param *own, int argc, char **argv);
void param_print(FILE *out, const struct param *params);

/* support.c: say "ready"; with --hold, return only after "go" or the end of stdin. */
int workload_ready(const struct workload *w);
/* Say "ready" and keep the state: until "go" with --hold, else for --seconds. */
int workload_stay(const struct workload *w);

uint64_t clock_ns(clockid_t clock);
/* Sleeps by ppoll(2), so that clock_nanosleep stays a name which scenarios may count. */
void sleep_ns(uint64_t ns);

/* Text for --truth, collected in memory; commit puts it in place at once by rename. */
struct truth {
	FILE *out;
	char *text;
	size_t size;
};

int truth_begin(struct truth *truth);
int truth_commit(struct truth *truth, const struct workload *w);
void truth_fini(struct truth *truth);
#define autotruth __attribute__((cleanup(truth_fini))) struct truth

/* A descriptor of the calling process, for child_fork() to check that it still lives. */
int parent_open(void);
/* fork(2) whose child gets SIGKILL when the parent ends, and is gone if it already has. */
pid_t child_fork(int parent_fd);
/* 0 when the child ended with status 0, -EIO otherwise. */
int child_wait(pid_t pid);

/* splitmix64: small, seeded and the same everywhere. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}
#define autofree __attribute__((cleanup(free_ptr)))

static inline void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define autoclose __attribute__((cleanup(close_fd)))

#endif
