/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A live view on a terminal, for every command that has one: the frames of a report come in
 * through a sink, the rows of their tables are drawn without flicker, and keys sort, filter, fold,
 * pause and select them. It knows rows by their field tables only.
 */
#ifndef SOOTH_CLI_SCREEN_H
#define SOOTH_CLI_SCREEN_H

#include <stdio.h>

#include "explain/sink.h"

struct screen;

/* A key that runs a command for the selected row; the last one has no key. */
struct screen_key {
	char key;
	const char *help;	/* one word */
	const char *command[6]; /* words of sooth, the process is appended; NULL at the end */
	bool is_act;		/* it takes PID@START: no other process may be hit */
	/* Its text is shown in a pane; said meanwhile: "inspecting". NULL: it has the terminal. */
	const char *doing;
};

struct screen_options {
	FILE *in, *out;
	const char *title;
	uint64_t interval_ns; /* between frames, for the title; 0: not shown */
	bool use_color;
	bool is_tree; /* to begin with */
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
/* Handles typed keys and draws what is new. */
enum screen_wish screen_step(struct screen *s, struct screen_pick *pick);
/* Returns the terminal for a while, and takes it again. */
void screen_leave(struct screen *s);
void screen_return(struct screen *s);
/* A line at the bottom, until the next key. */
void screen_emit(struct screen *s, const char *text);
/* Returns the terminal for good and writes what the last frame had beside its tables. NULL is
 * fine. */
void screen_close(struct screen *s);

#endif
