/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs whose options hold secrets, though neither the name of the option nor the shape of the
 * value shows it: `curl -u name:X`, `mysql -pX`. Only mask*.c includes this.
 */
#pragma once

#include "base/cursor.h"

/* The part of a value that is the secret. */
enum secret_part {
	PART_NONE,
	PART_AFTER_COLON, /* name:X; in `X:`, where nothing follows, the part before */
	PART_AFTER_COMMA,
	PART_AFTER_PERCENT,
	PART_AFTER_EQUALS, /* name=X; without a '=' it is a file name */
	PART_AFTER_PASS,   /* pass:X; but env:NAME and file:PATH are none */
	PART_PROXY,	   /* name:X@host */
	PART_LOGIN,	   /* name:X, but no URL */
	PART_NO_SLASH,	   /* the whole value, unless it is /option */
	PART_GLUED,	   /* the whole value, only in the same word: `-p X` is a prompt and more */
	PART_WHOLE,
	PART_SECOND, /* the next word is the secret */
	PART_THIRD,
};

/* One command, updated word by word. A zeroed struct is its beginning. */
struct command {
	uint64_t seen;		  /* bit set of programs seen, by index in the table */
	uint64_t active;	  /* programs of `seen` whose subcommand was seen, or not needed */
	enum secret_part pending; /* secret part of the next word */
	bool skips;		  /* the next word is the value of a harmless option */
	bool is_config;		  /* `config` was the previous word */
	bool is_set;		  /* `config set` was seen: names and values follow */
	bool is_first;		  /* the program that counts positions began the command */
	uint8_t words;		  /* number of words that are no options, up to the program */
	uint8_t position;	  /* position of the next word, if positions count; else 0 */
	uint8_t first;		  /* position of a secret */
	enum secret_part part;	  /* part of the words from that position on */
};

/* Handles a word that is no option: a program, its subcommand, or the name of a setting. */
void command_word(struct command *c, struct span word);
/* Returns the secret part of a word that is no option, by its position: before command_word(). */
enum secret_part command_position(struct command *c);
/* Takes an option. Returns the secret part of its value if the word also has the value, from *value
 * on (has_more: more text is glued to the word). Else the value is pending, or there is none. */
enum secret_part command_option(struct command *c, struct span word, bool has_more, size_t *value);
/* Returns the start of X in NAME=X or NAME/X, for a program with such arguments; 0: it is none. */
size_t command_assignment(const struct command *c, struct span word);
/* Returns the secret in a value; empty when there is none. */
struct span secret_part_of(enum secret_part part, struct span value);
