/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that say "secret", and values that are no secrets. A name is split into words, because
 * "key" in --api-key and apiKey differs from "key" in --keyboard or KEYMAP.
 */
#include <string.h>

#include "secrets/mask.h"
#include "secrets/mask_walk.h"

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

bool mask_contains(struct span s, const char *text)
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

/* Returns true for SSHPASS; false for a word that only contains "pass", like --compass. */
static bool says_pass(struct span word)
{
	static const char *const others[] = { "bypass", "compass", "encompass", "overpass",
		"surpass", "trespass", "underpass", NULL };

	return word.size > 4 && span_ends(word, "PASS") && !mask_is_one_of(word, others);
}

/* Returns the kind of a word inside a name; is_first: no word is before it. */
static enum name_kind word_kind(struct span word, bool is_first)
{
	while (word.size && ascii_is_digit(word.data[word.size - 1]))
		word.size--; /* key1, oauth2 */
	if (says_key(word) || ends_with(word, "token") || ends_with(word, "auth") ||
		mask_same(word, "passe") || says_pass(word))
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

/* Reads the next word of a name: letters and digits, also split at aB. False when there is none. */
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

enum name_kind mask_file_name_kind(struct span name)
{
	/* A sign of a secret anywhere in a name: PGPASSWORD, PassWord, clientSecret. */
	static const char *const anywhere[] = { "secret", "password", "passwort", "passwd",
		"passphrase", "credential", "cookie", "bearer", "authoriz", "authentic", NULL };
	/* primary_key, --public-key: a key of another kind */
	static const char *const others[] = { "cache", "candidate", "composite", "foreign", "group",
		"index", "lookup", "natural", "partition", "primary", "pub", "public", "range",
		"sort", "unique", NULL };
	enum name_kind kind = NAME_PLAIN;
	struct span word, before = { NULL, 0 };

	for (const char *const *part = anywhere; *part; part++)
		if (mask_contains(name, *part))
			return NAME_SECRET;
	for (; next_word(&name, &word); before = word) {
		enum name_kind one = word_kind(word, !before.size);

		if (one > kind && !(mask_same(word, "key") && mask_is_one_of(before, others)))
			kind = one;
	}
	/* --auth md5, --key 2,2n */
	return kind == NAME_SECRET && (ends_with(before, "auth") || mask_same(before, "key"))
		       ? NAME_MODE
		       : kind;
}

/* Returns whether a name is only about a secret, by its last word: --key-name, token_type. */
static bool is_about(struct span name)
{
	static const char *const words[] = { "age", "alg", "algorithm", "bits", "budget", "column",
		"count", "dir", "domain", "encoding", "expiration", "expiry", "file", "format",
		"helper", "host", "label", "length", "lifetime", "limit", "method", "mode", "name",
		"path", "plugin", "policy", "prefix", "provider", "samesite", "size", "timeout",
		"ttl", "type", "username", "version", NULL };
	static const char *const places[] = { "endpoint", "uri", "url", NULL };
	struct span rest = name, word, last = { NULL, 0 };

	if (mask_same(name, "user.signingkey")) /* in git: selects a key */
		return true;
	for (; next_word(&rest, &word); last = word)
		;
	return mask_is_one_of(last, words) ||
	       (mask_is_one_of(last, places) &&
		       (mask_contains(name, "auth") || mask_contains(name, "token")));
}

enum name_kind mask_name_kind(struct span name)
{
	enum name_kind kind = mask_file_name_kind(name);

	return kind != NAME_PLAIN && is_about(name) ? NAME_PLAIN : kind;
}

bool mask_is_search(struct span word)
{
	static const char *const programs[] = { "grep", "egrep", "fgrep", "zgrep", "rg", "ag",
		"ack", NULL };

	return mask_is_one_of(word, programs);
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

#define VALUE_MAX 9 /* digits of a count that may stay */

/* Returns whether a value is a field of sort: 2, 2.3n,4. */
static bool is_sort_key(struct span value)
{
	size_t digits = 0;

	for (size_t i = 0; i < value.size; i++) {
		bool is_digit = ascii_is_digit(value.data[i]);

		if ((i && is_digit && ascii_is_alnum(value.data[i - 1]) && !digits) ||
			(!is_digit && (!i || !memchr(".,bdfgiMhnRrV", value.data[i], 13))))
			return false;
		digits = is_digit ? digits + 1 : 0;
		if (digits > 2)
			return false;
	}
	return value.size > 0;
}

static bool is_plain_number(struct span value)
{
	size_t i = 0;

	while (i < value.size && ascii_is_digit(value.data[i]))
		i++;
	return i && i == value.size && i <= VALUE_MAX;
}

bool mask_is_harmless(struct span value, enum name_kind kind)
{
	static const char *const words[] = { "yes", "no", "true", "false", "on", "off", "none",
		"ask", "left-arrow", "right-arrow", "up-arrow", "down-arrow", NULL };
	static const char *const methods[] = { "anonymous", "basic", "bearer", "cert", "digest",
		"gss", "iam", "ident", "kerberos", "ldap", "md5", "mtls", "negotiate", "ntlm",
		"oauth2", "oidc", "pam", "peer", "plain", "radius", "reject", "saml",
		"scram-sha-256", "sso", "sspi", "tls", "trust", NULL };

	/* --secret id=x,src=f of a build: the place of the secret */
	if (span_starts(value, "id=") &&
		(mask_contains(value, ",src=") || mask_contains(value, ",source=") ||
			mask_contains(value, ",env=")))
		return true;
	return mask_is_one_of(value, words) || (kind == NAME_PLURAL && is_plain_number(value)) ||
	       (kind == NAME_MODE && (is_sort_key(value) || mask_is_one_of(value, methods)));
}
