/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk of mask.c through one piece of text, shared by the files that know about values and
 * about URLs. Only mask*.c includes this. A function mask_...() that returns a position has written
 * all before that position.
 */
#pragma once

#include "base/buffer.h"
#include "secrets/mask_rules.h"

/* Effect of the previous argument on this one. */
enum pending {
	PENDING_NOTHING,
	PENDING_VALUE,	/* `--api-key`: this argument is the value */
	PENDING_EQUALS, /* `api_key`: if this argument is `=`, the next one is the value */
};

struct masker {
	struct buffer *out;
	const char *text;
	size_t size;
	size_t room; /* bytes that may still be written */
	bool is_cut;
	bool is_argument; /* the text is one argument, as a whole */
	bool has_login;	  /* an argument was `login`, as in .netrc */
	bool is_search;	  /* an argument was `grep` */
	unsigned arguments;
	enum pending pending;
	enum name_kind pending_kind;
	size_t url_end;	    /* end of the current URL; 0: none yet */
	size_t url_at;	    /* position of the last '@' of the URL, or SIZE_MAX */
	int manifest;	    /* a Secret of Kubernetes: 1, not: -1, 0: not looked yet */
	size_t first_space; /* position of the first blank or newline */
};

void masker_put(struct masker *m, const char *data, size_t size);
void masker_put_range(struct masker *m, size_t from, size_t to);
void masker_put_mask(struct masker *m);
/* Writes [from, to) with the tokens in it masked. A token that goes on after `to` is masked to its
 * end, or up to `limit`. Returns where to go on. */
size_t masker_put_shapes(struct masker *m, size_t from, size_t to, size_t limit);
size_t masker_skip_blanks(const struct masker *m, size_t at);
size_t masker_word_end(const struct masker *m, size_t at, size_t to);
/* Returns the end of a quoted text that starts at `at`: the next same quote with no more
 * backslashes before it than the opening quote had. The end is before these backslashes. */
size_t masker_quoted_end(const struct masker *m, size_t at, char quote, size_t backslashes);

/* Notes that the next argument is what `pending` says, for a name of that kind. */
static inline void mask_expect(struct masker *m, enum pending pending, enum name_kind kind)
{
	m->pending = pending;
	m->pending_kind = kind;
}

/* Returns whether a value cannot be a secret: yes, no, and numbers for a plural name. */
bool mask_is_harmless(struct span value, enum name_kind kind);
/* Returns whether a word comes before the secret of a header: bearer, basic, digest, token. */
bool mask_is_scheme(struct span word);
/* Returns whether a word is an option, and so not the value of an earlier one: `-x`, `--name`. */
bool mask_is_option(struct span word);
/* Masks the text after [start, end) if that is such a scheme; else returns 0. */
size_t mask_scheme(struct masker *m, size_t start, size_t end);
/* Masks the value, if any, of the name [start, end), which says "secret". */
size_t mask_named(struct masker *m, size_t start, size_t end, enum name_kind kind);

/* Masks a value at `at`, quoted or not. */
size_t mask_value_at(struct masker *m, size_t at, enum name_kind kind);

/* Returns whether it is `user:X@host` without a scheme: name [start, end), the '@' at `at`. */
bool mask_is_login(const struct masker *m, size_t start, size_t end, size_t at);
/* Returns whether `login` and one word are before the word at `at`. */
bool mask_is_behind_login(const struct masker *m, size_t at);

/* Masks the user of a URL; `at` is after "://". Returns the end of the host. */
size_t mask_url(struct masker *m, size_t at);
/* Masks the values of a URL from the '?' or '#' on, up to its end. */
size_t mask_query(struct masker *m, size_t at);

static inline bool is_word(char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '-';
}

static inline bool is_run(char c)
{
	return is_word(c) || c == '.' || c == '+';
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool is_space(char c)
{
	return is_blank(c) || c == '\n' || c == '\r' || c == '\0';
}

static inline bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}
