/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk of mask.c through one piece of text, shared by the files that know about values and
 * about URLs. Only mask*.c includes this. A function mask_...() that returns a position has written
 * all before that position.
 */
#ifndef SOOTH_SECRETS_MASK_WALK_H
#define SOOTH_SECRETS_MASK_WALK_H

#include "base/buffer.h"
#include "secrets/mask_rules.h"

/* Effect of the previous argument on this one. */
enum pending {
	PENDING_NOTHING,
	PENDING_VALUE,	/* `--api-key`: this one is the value */
	PENDING_EQUALS, /* `api_key`: if this one is `=`, the next one is the value */
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
	size_t url_at;	    /* its last '@', or SIZE_MAX */
	int manifest;	    /* a Secret of Kubernetes: 1, not: -1, 0: not looked yet */
	size_t first_space; /* where the text has its first blank or newline */
};

void masker_put(struct masker *m, const char *data, size_t size);
void masker_put_range(struct masker *m, size_t from, size_t to);
void masker_put_mask(struct masker *m);
/*
 * Write [from, to) with the tokens in it masked. A token that goes on behind `to` is masked to its
 * end, or up to `limit`. Returns where to go on.
 */
size_t masker_put_shapes(struct masker *m, size_t from, size_t to, size_t limit);
size_t masker_skip_blanks(const struct masker *m, size_t at);
size_t masker_word_end(const struct masker *m, size_t at, size_t to);
/*
 * Where the text in quotes that starts at `at` ends: at the same quote with no
 * more backslashes before it than the opening one had; those belong to it.
 */
size_t masker_quoted_end(const struct masker *m, size_t at, char quote, size_t backslashes);

/* The next argument is what `pending` says, of a name of that kind. */
static inline void mask_expect(struct masker *m, enum pending pending, enum name_kind kind)
{
	m->pending = pending;
	m->pending_kind = kind;
}

/* A value that cannot be a secret: yes, no, and figures of a plural. */
bool mask_is_harmless(struct span value, enum name_kind kind);
/* bearer, basic, digest, token: what stands before the secret of a header. */
bool mask_is_scheme(struct span word);
/* `-x`, `--name`: an option, and so not the value of the one before it. */
bool mask_is_option(struct span word);
/* When [start, end) is such a scheme: mask what follows; 0 when it is not. */
size_t mask_scheme(struct masker *m, size_t start, size_t end);
/* The name [start, end) says "secret": mask the value it has, if any. */
size_t mask_named(struct masker *m, size_t start, size_t end, enum name_kind kind);

/* A value at `at`, quoted or not: mask it. */
size_t mask_value_at(struct masker *m, size_t at, enum name_kind kind);

/* `user:X@host` without a scheme: the name is [start, end), the '@' stands at `at`. */
bool mask_is_login(const struct masker *m, size_t start, size_t end, size_t at);
/* Do `login` and one word stand before the word at `at`? */
bool mask_is_behind_login(const struct masker *m, size_t at);

/* `at` stands behind "://": mask the user, go as far as the host does. */
size_t mask_url(struct masker *m, size_t at);
/* At the '?' or '#' of a URL: mask the values up to its end. */
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

#endif
