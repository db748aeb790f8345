/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A live view on a terminal, for every command that has one: the frames of a report come
 * in through a sink, the rows of their tables are drawn without flicker, and keys sort,
 * filter, fold, hold and pick them. It knows rows by their field tables only.
 */
#ifndef SOOTH_CLI_SCREEN_H
#define SOOTH_CLI_SCREEN_H

#include <stdio.h>

#include "core/sink.h"

struct screen;

/* A key that runs something for the row that is picked; the last one has no key. */
struct screen_key {
	char key;
	const char *help;	/* one word */
	const char *command[6]; /* of sooth, the process is put behind; NULL at the end */
	bool is_act;		/* it takes PID@START: nobody else is to be touched */
};

struct screen_options {
	FILE *in, *out;
	const char *title;
	uint64_t interval_ns; /* between frames, to be told; 0: not */
	bool use_color;
	bool is_tree; /* to begin with */
	/* What the key for the tree sets, for whoever makes the frames; NULL: the rows of the
	 * screen are enough. */
	bool *wants_tree;
	const struct screen_key *keys;
};

enum screen_wish {
	SCREEN_GO_ON,
	SCREEN_END, /* the user, or the terminal, is gone */
	SCREEN_RUN, /* what `picked` says */
};

struct screen_pick {
	const struct screen_key *key;
	uint32_t pid;
	uint64_t start_ticks;
};

int screen_open(struct screen **out, const struct screen_options *options, struct sooth_error *err);
/* To be added to a report with the screen as its user. */
extern const struct sink_type screen_sink;
/* Takes the keys that were typed and draws what is new. */
enum screen_wish screen_step(struct screen *s, struct screen_pick *pick);
/* Gives the terminal back for a while, and takes it again. */
void screen_leave(struct screen *s);
void screen_return(struct screen *s);
/* A line at the bottom, until the next key. */
void screen_emit(struct screen *s, const char *text);
/* Gives the terminal back for good and writes what the last frame said beside its tables. NULL is
 * taken. */
void screen_close(struct screen *s);

#endif
