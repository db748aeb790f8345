/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs whose options hold secrets though neither their name nor the shape
 * of the value says so: `curl -u name:X`, `mysql -pX`. Only mask*.c includes this.
 */
#ifndef SOOTH_SECRETS_MASK_PROGRAMS_H
#define SOOTH_SECRETS_MASK_PROGRAMS_H

#include "base/cursor.h"

/* Which part of a value is the secret. */
enum secret_part {
	PART_NONE,
	PART_AFTER_COLON, /* name:X; of `X:`, which has no more, what stands before */
	PART_AFTER_COMMA,
	PART_AFTER_PERCENT,
	PART_AFTER_EQUALS, /* name=X; without a '=' it is the name of a file */
	PART_AFTER_PASS,   /* pass:X; but env:NAME and file:PATH are none */
	PART_PROXY,	   /* name:X@host */
	PART_LOGIN,	   /* name:X, but no URL */
	PART_NO_SLASH,	   /* all of it; but /option is none */
	PART_GLUED, /* all of it, within the same word: `-p X` is a prompt and something else */
	PART_WHOLE,
	PART_SECOND, /* the next word is the secret */
	PART_THIRD,
};

/* One command as its words come by. Zeroed is its beginning. */
struct command {
	uint64_t seen;		  /* bit set of programs seen, by index in the table */
	uint64_t active;	  /* of `seen`: those whose subcommand was seen, or not needed */
	enum secret_part pending; /* secret part of the next word */
	bool skips;		  /* the next word is the value of a harmless option */
	bool is_config;		  /* `config` was the previous word */
	bool is_set;		  /* `config set` was seen: names and values follow */
	bool is_first;		  /* the program that counts positions began the command */
	uint8_t words;		  /* number of words that are no options, up to the program */
	uint8_t position;	  /* position of the next word, if positions count; else 0 */
	uint8_t first;		  /* position of a secret */
	enum secret_part part;	  /* of the words from there on */
};

/* A word that is no option: a program, its subcommand, or the name of a setting. */
void command_word(struct command *c, struct span word);
/* The part that is secret of a word that is no option, by its position: before command_word(). */
enum secret_part command_position(struct command *c);
/*
 * An option. The part of its value that is secret when the word holds that too, from *value on
 * (has_more: what follows is glued to the word); else it is pending, or there is none.
 */
enum secret_part command_option(struct command *c, struct span word, bool has_more, size_t *value);
/* The start of X in NAME=X or NAME/X, an argument of a program that takes such; 0: it is none. */
size_t command_assignment(const struct command *c, struct span word);
/* The secret in a value; of no size when there is none. */
struct span secret_part_of(enum secret_part part, struct span value);

#endif
