/* SPDX-License-Identifier: BSD-2-Clause */
/* What the scenario `member` is told to start; see member.c for the words. */
#ifndef MEMBER_H
#define MEMBER_H

#include <stdbool.h>
#include <sys/types.h>

#define MEMBER_WORDS_MAX 48
#define MEMBER_ENDS_MAX	 16
#define MEMBER_NAME_MAX	 64

/* The other end of a standard stream of a child, which this process holds. */
struct member_end {
	char name[MEMBER_NAME_MAX];
	int fd;
};

struct member_order {
	const char *name, *program, *called;
	const char *stream[3];
	const char *holds; /* it gets a copy of the end of this child's streams */
	const char *environment[MEMBER_WORDS_MAX];
	int environment_count;
	bool in_own_session, ignores_hangup, ends_with_input, is_twice, in_own_namespace;
	bool ignores_terminate;
	pid_t pid; /* the number it is to have; 0: whatever */
	uid_t uid; /* 0: the same */
};

extern struct member_end member_ends[MEMBER_ENDS_MAX];

/* Words "KEY" and "KEY=VALUE", which it keeps pointers into. */
int member_parse(struct member_order *order, char *const *words, int count);
/* It says by itself that it is there: it connects to the socket. */
int member_start(const struct member_order *order, const char *socket_path);
/* Closes the ends of that child's streams. */
int member_hang_up(const char *name);

#endif
