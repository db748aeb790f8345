/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that say "secret". A name is taken apart into words, since "key" in
 * --api-key and apiKey means what it does not in --keyboard or KEYMAP.
 */
#include "base/mask.h"
#include "base/mask_rules.h"

#include <string.h>

bool mask_same(struct span s, const char *text)
{
	size_t i;

	for (i = 0; i < s.size && text[i] && ascii_lower(s.data[i]) == text[i]; i++)
		;
	return i == s.size && !text[i];
}

static bool ends_with(struct span s, const char *text)
{
	size_t size = strlen(text);

	return size <= s.size && mask_same(span_of(s.data + s.size - size, size), text);
}

static bool contains(struct span s, const char *text)
{
	size_t size = strlen(text);

	for (size_t i = 0; i + size <= s.size; i++)
		if (mask_same(span_of(s.data + i, size), text))
			return true;
	return false;
}

bool mask_is_one_of(struct span word, const char *const *list)
{
	for (; *list; list++)
		if (mask_same(word, *list))
			return true;
	return false;
}

static bool says_key(struct span word)
{
	static const char *const others[] = { "monkey", "donkey", "turkey", "hockey", "jockey",
		"hotkey", "lackey", "whiskey", NULL };

	return ends_with(word, "key") && !mask_is_one_of(word, others);
}

/* Words inside a name; is_first: no word stands before it. */
static enum name_kind word_kind(struct span word, bool is_first)
{
	while (word.size && ascii_is_digit(word.data[word.size - 1]))
		word.size--; /* key1, oauth2 */
	if (says_key(word) || ends_with(word, "token") || ends_with(word, "auth"))
		return NAME_SECRET;
	/* DB_PASS and MYSQL_PWD, but neither PWD nor ffmpeg's -pass. */
	if (!is_first && (mask_same(word, "pass") || mask_same(word, "pwd")))
		return NAME_SECRET;
	if (word.size && ascii_lower(word.data[word.size - 1]) == 's') {
		word.size--;
		if (says_key(word) || ends_with(word, "token"))
			return NAME_PLURAL;
	}
	return NAME_PLAIN;
}

/* The next word of a name: letters and digits, also cut at aB. False when there is none. */
static bool next_word(struct span *name, struct span *word)
{
	size_t i = 0, size = 0;

	while (i < name->size && !ascii_is_alnum(name->data[i]))
		i++;
	*word = span_of(name->data + i, 0);
	for (; i < name->size && ascii_is_alnum(name->data[i]); i++, size++)
		if (size && ascii_is_upper(name->data[i]) && !ascii_is_upper(name->data[i - 1]))
			break;
	word->size = size;
	*name = span_of(name->data + i, name->size - i);
	return size > 0;
}

enum name_kind mask_name_kind(struct span name)
{
	/* A sign of a secret anywhere in a name: PGPASSWORD, PassWord, clientSecret. */
	static const char *const anywhere[] = { "secret", "password", "passwd", "passphrase",
		"credential", "cookie", "bearer", "authoriz", "authentic", NULL };
	enum name_kind kind = NAME_PLAIN;
	struct span word;
	bool is_first = true;

	for (const char *const *part = anywhere; *part; part++)
		if (contains(name, *part))
			return NAME_SECRET;
	for (; next_word(&name, &word); is_first = false) {
		enum name_kind one = word_kind(word, is_first);

		if (one > kind)
			kind = one;
	}
	return kind;
}

bool mask_is_secret_name(const char *name, size_t size)
{
	return mask_name_kind(span_of(name, size)) != NAME_PLAIN;
}

bool mask_name_is_switch(struct span name)
{
	static const char *const first[] = { "no", "skip", "disable", "enable", "without", NULL };
	struct span word, last = { NULL, 0 };

	for (bool is_first = true; next_word(&name, &word); is_first = false) {
		if (is_first && mask_is_one_of(word, first))
			return true;
		last = word;
	}
	return mask_same(last, "stdin");
}
