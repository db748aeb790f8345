/* SPDX-License-Identifier: BSD-2-Clause */
/* Options as data. A command has a config struct and tables of rows that say which member an option
 * fills; shared groups are tables over a struct that is a member of each config. Parsing, help and
 * suggestions follow from the rows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum option_type {
	OPTION_FLAG,	  /* bool, set to true */
	OPTION_TEXT,	  /* const char *, borrowed from argv */
	OPTION_FILE,	  /* the same, an output file: see written_check() */
	OPTION_U64,	  /* uint64_t */
	OPTION_DURATION,  /* uint64_t, ns */
	OPTION_BYTES,	  /* uint64_t */
	OPTION_CHOICE,	  /* const char *, one of the choices */
	OPTION_REAL,	  /* double, `min` to `max` */
	OPTION_MEGABYTES, /* uint64_t bytes; a bare number is in MiB */
	OPTION_LIST,	  /* struct option_list: repeatable, or comma-separated */
};

#define OPTION_LIST_MAX 128

struct option_list {
	const char *items[OPTION_LIST_MAX];
	size_t count;
};

struct option {
	char letter;	  /* 0: none */
	const char *name; /* without the dashes; NULL: a letter only */
	enum option_type type;
	size_t offset;	      /* offset of the member in the group's struct */
	const char *argument; /* name of the value in help */
	const char *help;
	bool is_input;	   /* OPTION_FILE: it is read, or is no file but a folder */
	uint64_t min, max; /* range of a number; both 0: any */
	/* The value of an option given without a value, as in `-w`; NULL: the option needs a value.
	 * `defaults` of the command has the value of an absent option. */
	const char *default_value;
	const char *(*choice)(size_t index); /* choices of OPTION_CHOICE; NULL after the last */
};

/* Rows of an option table: an option that takes a value, and a flag. */
#define VALUE_ROW(letter_, name_, type_, argument_, struct_, member, help_, ...)                   \
	{                                                                                          \
		.letter = letter_, .name = name_, .type = OPTION_##type_, .argument = argument_,   \
		.offset = offsetof(struct struct_, member), .help = help_, __VA_ARGS__             \
	}
#define FLAG_ROW(letter_, name_, struct_, member, help_, ...)                                      \
	VALUE_ROW(letter_, name_, FLAG, NULL, struct_, member, help_, __VA_ARGS__)

struct option_group {
	const char *title; /* heading in help */
	const struct option *options;
	size_t count;
	size_t offset; /* offset of the group's struct in the config */
};

#define OPTION_GROUP(title_, table, offset_)                                                       \
	{                                                                                          \
		.title = title_, .options = table, .count = sizeof(table) / sizeof((table)[0]),    \
		.offset = offset_                                                                  \
	}

#define OPTIONS_GIVEN_MAX 128 /* more options than any command has */

struct arguments {
	char **items; /* words that are not options, in order */
	size_t count;
	const struct option *given[OPTIONS_GIVEN_MAX]; /* options that were given, each once */
	size_t given_count;
	char **command; /* words after "--", NULL-terminated; NULL: there was no "--" */
};

/* Fills the config from argv[1..]. Options may come before and after other arguments, but not after
 * "--". The caller frees arguments->items. */
int options_parse(const struct option_group *groups, size_t group_count, void *config, int argc,
	char **argv, struct arguments *arguments, struct sooth_error *err);
