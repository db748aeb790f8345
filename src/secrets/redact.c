/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces private texts by placeholders. */
#include "secrets/redact.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "secrets/mask.h"
#include "secrets/mask_rules.h"

#define NAMES_MAX	  65536
#define NAME_LEAST	  3
#define NAME_LEAST_HASHED 2
#define NUMBERS_MAX	  65536
#define PATHS_MAX	  (1u << 20) /* bytes */
#define DELETED		  " (deleted)"

/* --- paths --- */

/* Paths for strangers; see redact.h. */

static const char *const systems[] = {
#define SYSTEM(name) name,
#define WORD(name)
#define ENDING(text)
#include "secrets/redact_words.def"
#undef SYSTEM
#undef WORD
#undef ENDING
};

static const char *const words[] = {
#define SYSTEM(name)
#define WORD(name) name,
#define ENDING(text)
#include "secrets/redact_words.def"
#undef SYSTEM
#undef WORD
#undef ENDING
};

static const char *const endings[] = {
#define SYSTEM(name)
#define WORD(name)
#define ENDING(text) text,
#include "secrets/redact_words.def"
#undef SYSTEM
#undef WORD
#undef ENDING
};

/* Folders below system folders in which users choose names. */
static const char *const writable[] = { "/dev/shm/", "/dev/mqueue/", "/sys/fs/cgroup/" };

/* Folders of home directories, followed by the name of a user. */
static const char *const homes[] = { "/home/", "/Users/", "/var/home/", "/export/home/" };

bool redact_is_public(struct span word)
{
	return SPAN_ANY(word, span_equal, words);
}

/* Reads the next part of a path, without slashes; false at the end. *at stands behind it then. */
static bool next_part(struct span path, size_t *at, struct span *part)
{
	size_t start = *at, end;

	while (start < path.size && path.data[start] == '/')
		start++;
	for (end = start; end < path.size && path.data[end] != '/'; end++)
		;
	*part = span_of(path.data + start, end - start);
	*at = end;
	return end > start;
}

/* Returns how much of a path is a home, and its user; 0: the path begins with none. */
static size_t redact_home(struct span path, struct span *user)
{
	for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
		size_t at = strlen(homes[i]);

		if (span_starts(path, homes[i]) && next_part(path, &at, user))
			return at;
	}
	*user = span_of(path.data + 1, 4);
	if (span_starts(path, "/root") && (path.size == 5 || path.data[5] == '/'))
		return 5;
	return 0;
}

/* Returns whether a text is a number, which identifies no user: "2.1.328", "v20.1.0", "1000",
 * "[7]". */
static bool is_number(struct span part)
{
	size_t digits = 0;

	for (size_t i = 0; i < part.size; i++) {
		char c = part.data[i];

		if (c >= '0' && c <= '9')
			digits++;
		else if (!strchr(".-_[]:", c) && !(c == 'v' && !i))
			return false;
	}
	return digits > 0;
}

static struct span extension_of(struct span part)
{
	size_t dot = part.size;

	while (dot > 0 && part.data[dot - 1] != '.')
		dot--;
	if (dot > 1 &&
		SPAN_ANY(span_of(part.data + dot - 1, part.size - dot + 1), span_equal, endings))
		return span_of(part.data + dot - 1, part.size - dot + 1);
	return span_of("", 0);
}

static void write_path_part(struct redactor *r, struct span part, struct buffer *out)
{
	struct span ending = extension_of(part);

	if (is_number(part) || redact_is_public(part)) {
		buffer_append(out, part.data, part.size);
		return;
	}
	redactor_number(r, "path", part, out);
	buffer_append(out, ending.data, ending.size);
}

struct redact_name {
	uint32_t at, size; /* in texts: the placeholder with its number, then the name */
	uint32_t placeholder_size;
};

static struct span name_of(const struct redactor *r, const struct redact_name *n)
{
	return span_of((const char *)r->texts.data + n->at + n->placeholder_size, n->size);
}

static bool is_same_text(struct span a, const char *b)
{
	for (size_t i = 0; i < a.size; i++) {
		if (ascii_lower(a.data[i]) != ascii_lower(b[i]))
			return false;
	}
	return true;
}

/* Returns whether a word may begin at `at`. */
static bool is_boundary(struct span text, size_t at)
{
	char before = at ? text.data[at - 1] : ' ';

	return !ascii_is_alnum(before) && before != '_';
}

/* Returns the hash of a text (FNV-1a); a name is the same in any case. */
static uint64_t hash_text(uint64_t hash, struct span text)
{
	for (size_t i = 0; i < text.size; i++)
		hash = (hash ^ (unsigned char)ascii_lower(text.data[i])) * 0x100000001b3u;
	return hash;
}

/* Returns the longest name at `at`, which is a whole word; NULL: there is none. "alice-laptop" is
 * not read as "alice". */
static const struct redact_name *name_at(const struct redactor *r, struct span text, size_t at)
{
	const struct redact_name *longest = NULL;
	uint64_t hash = 0;

	if (!is_boundary(text, at))
		return NULL;
	for (size_t end = at + 1; end <= text.size && end - at <= r->name_most; end++) {
		const struct redact_name *n;

		hash = hash_text(hash, span_of(text.data + end - 1, 1));
		if (end < text.size && !is_boundary(text, end + 1))
			continue;
		n = map_get(&r->names, &hash);
		if (n && n->size == end - at && is_same_text(name_of(r, n), text.data + at))
			longest = n;
	}
	return longest;
}

/* Writes text without paths and addresses; names in it are replaced. */
static void redactor_write_names(struct redactor *r, struct span text, struct buffer *out)
{
	for (size_t at = 0; at < text.size;) {
		const struct redact_name *n = name_at(r, text, at);

		if (n) {
			buffer_append(out, r->texts.data + n->at, n->placeholder_size);
			at += n->size;
		} else {
			buffer_char(out, text.data[at++]);
		}
	}
}

/* Returns whether a path is below a folder of the system, in which users choose no names. */
static bool is_of_system(struct span path)
{
	struct span part;

	return next_part(path, &(size_t){ 0 }, &part) && SPAN_ANY(part, span_equal, systems) &&
	       !SPAN_ANY(path, span_starts, writable);
}

/* Returns whether a text is to be written as one path to its end, blanks and all. A command of the
 * system with another path among its arguments is none: that path would count as the system's. */
static bool is_path_alone(struct span text)
{
	return text.size > 1 && text.data[0] == '/' &&
	       !(is_of_system(text) && span_contains(text, " /"));
}

/* Writes a path; its slashes stay. */
static void redactor_write_path(struct redactor *r, struct span path, struct buffer *out)
{
	struct span user, part;
	size_t at = redact_home(path, &user), done = at;
	bool is_system;

	if (at && redact_is_public(user))
		buffer_format(out, "~%.*s", SPAN_ARGS(user));
	else if (at) {
		buffer_char(out, '~');
		redactor_number(r, "user", user, out);
	}
	is_system = !at && is_of_system(path);
	while (next_part(path, &at, &part)) {
		buffer_append(out, path.data + done, (size_t)(part.data - path.data) - done);
		if (is_system)
			redactor_write_names(r, part, out);
		else
			write_path_part(r, part, out);
		done = at;
	}
	buffer_append(out, path.data + done, path.size - done);
}

/* --- addresses --- */

/* Finding addresses of the internet in a text; see redact.h. */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Returns the length of an IPv4 address: four numbers up to 255; more than that is a version. */
static size_t address_4(struct span text, bool *is_own)
{
	unsigned parts = 0, first = 0, all = 0;
	size_t at = 0;

	while (at < text.size && is_digit(text.data[at])) {
		unsigned number = 0;
		size_t start = at;

		while (at < text.size && is_digit(text.data[at]) && at - start < 3)
			number = number * 10 + (unsigned)(text.data[at++] - '0');
		if (number > 255)
			return 0;
		first = parts ? first : number;
		all |= number;
		if (++parts == 4 || at == text.size || text.data[at] != '.')
			break;
		at++;
	}
	if (parts != 4 || (at < text.size && (is_digit(text.data[at]) ||
						     (text.data[at] == '.' && at + 1 < text.size &&
							     is_digit(text.data[at + 1])))))
		return 0;
	*is_own = first == 127 || !all;
	return at;
}

/* Groups of up to four digits with colons between: eight, or "::" among them. */
static size_t address_6(struct span text, bool *is_own)
{
	unsigned colons = 0, digits = 0;
	bool has_gap = false, has_other = false;
	size_t at;

	for (at = 0; at < text.size; at++) {
		char c = text.data[at];

		if (c == ':') {
			has_gap |= at && text.data[at - 1] == ':';
			colons++;
			digits = 0;
		} else if (is_hex(c) && ++digits <= 4) {
			has_other |= c != '0' && !(c == '1' && at + 1 == text.size);
		} else {
			break;
		}
	}
	if (digits > 4 || colons < 2 || (!has_gap && colons != 7))
		return 0;
	/* "::1" and "::", also before a bracket. */
	*is_own = !has_other || (at == 3 && !memcmp(text.data, "::1", 3));
	return at;
}

/* Returns the length of an address of the internet at the beginning; 0: there is none. *is_own:
 * loopback, or no address at all. */
static size_t redact_address(struct span text, bool *is_own)
{
	size_t length = address_4(text, is_own);

	return length ? length : address_6(text, is_own);
}

void redactor_init(struct redactor *r)
{
	assert(r);
	*r = (struct redactor){ 0 };
	map_init(&r->names, sizeof(uint64_t), sizeof(struct redact_name), NAMES_MAX);
	map_init(&r->numbers, sizeof(uint64_t), sizeof(uint32_t), NUMBERS_MAX);
	map_init(&r->counts, sizeof(uint64_t), sizeof(uint32_t), NAMES_MAX);
}

void redactor_fini(struct redactor *r)
{
	assert(r);
	map_fini(&r->names);
	buffer_fini(&r->texts);
	buffer_fini(&r->paths);
	buffer_fini(&r->masked);
	map_fini(&r->numbers);
	map_fini(&r->counts);
}

/* --- numbers --- */

static uint64_t hash_placeholder(const char *placeholder)
{
	return hash_text(0xcbf29ce484222325u, span_of(placeholder, strlen(placeholder) + 1));
}

/* Appends "path-3": one number for one text, 0 if there are too many texts. With a key, appends a
 * hash of the text instead. */
void redactor_number(
	struct redactor *r, const char *placeholder, struct span text, struct buffer *out)
{
	assert(r);
	if (r->key) {
		name_hash(r->key, placeholder, text, out);
		return;
	}

	uint64_t kind = hash_placeholder(placeholder), key = hash_text(kind, text);
	bool is_new = false;
	uint32_t *number = map_put(&r->numbers, &key, &is_new);

	if (number && is_new) {
		uint32_t *count = map_put(&r->counts, &kind, NULL);

		*number = count ? ++*count : 0;
	}
	buffer_format(out, "%s-%u", placeholder, number ? *number : 0);
}

/* --- learning --- */

static void learn_name(struct redactor *r, const char *placeholder, struct span name)
{
	uint64_t key = hash_text(0, name);
	struct redact_name *n;
	bool is_new = false;

	/* With a key, a name is hashed in its own column anyway: rather too much than a name. */
	if (name.size < (r->key ? NAME_LEAST_HASHED : NAME_LEAST) ||
		(!r->key && redact_is_public(name)))
		return;
	n = map_put(&r->names, &key, &is_new);
	if (!is_new)
		return;
	*n = (struct redact_name){ .at = (uint32_t)r->texts.size, .size = (uint32_t)name.size };
	redactor_number(r, placeholder, name, &r->texts);
	n->placeholder_size = (uint32_t)r->texts.size - n->at;
	buffer_append(&r->texts, name.data, name.size);
	r->name_most = name.size > r->name_most ? name.size : r->name_most;
}

/* Learns a name of a host. The first part of "build-7.example.org" identifies as much as the whole;
 * that of an address does not. */
void redactor_learn_name(struct redactor *r, const char *placeholder, struct span name)
{
	const char *dot = name.size ? memchr(name.data, '.', name.size) : NULL;

	struct span first = span_of(name.data, dot ? (size_t)(dot - name.data) : 0);

	learn_name(r, placeholder, name);
	if (first.size && !is_number(first))
		learn_name(r, placeholder, first);
}

/* Files without a name: the kernel describes them. */
static const char *const of_kernel[] = { "pipe:[", "socket:[", "anon_inode:" };

/* Returns whether a text is an address, which has a placeholder of its own: "192.0.2.7:443",
 * "[::1]:80". */
static bool is_address(struct span name)
{
	struct span address = span_starts(name, "[") ? span_of(name.data + 1, name.size - 1) : name;
	size_t length = redact_address(address, &(bool){ false });

	return length && (length == address.size || strchr(":]", address.data[length]));
}

void redactor_learn_file(struct redactor *r, const char *placeholder, struct span name)
{
	if (!is_number(name) && !SPAN_ANY(name, span_starts, of_kernel) && !is_address(name))
		learn_name(r, placeholder, name);
}

static bool begins_path(struct span text, size_t at)
{
	char before = at ? text.data[at - 1] : ' ';

	return text.data[at] == '/' && !ascii_is_alnum(before) && !strchr("_.-/~", before);
}

static bool ends_word(char c)
{
	return (unsigned char)c <= ' ' || strchr("\"'`<>,;()[]{}|", c) != NULL;
}

/* Returns the end of the word at `at`; a name that was learnt belongs to it as a whole. */
static size_t word_end(const struct redactor *r, struct span text, size_t at)
{
	while (at < text.size && !ends_word(text.data[at])) {
		const struct redact_name *n = text.data[at] == '/' && at + 1 < text.size
						      ? name_at(r, text, at + 1)
						      : NULL;

		at += n ? 1 + n->size : 1;
	}
	return at;
}

static void learn_path(struct redactor *r, struct span path)
{
	uint64_t key = hash_text(hash_placeholder("whole path"), path);
	bool is_new = false;

	r->is_full |= r->paths.size + path.size >= PATHS_MAX;
	if (r->is_full || !map_put(&r->numbers, &key, &is_new)) {
		r->is_full = true;
	} else if (is_new) {
		buffer_append(&r->paths, path.data, path.size);
		buffer_char(&r->paths, '\0');
	}
}

void redactor_learn_paths(struct redactor *r, struct span text)
{
	assert(r);
	for (size_t at = 0; at < text.size; at++) {
		struct span user;

		if (begins_path(text, at) &&
			redact_home(span_of(text.data + at, text.size - at), &user))
			redactor_learn_name(r, "user", user);
	}
	if (span_ends(text, DELETED))
		text.size -= strlen(DELETED);
	if (is_path_alone(text) && word_end(r, text, 0) < text.size)
		learn_path(r, text);
}

bool redactor_is_complete(const struct redactor *r)
{
	assert(r);
	return !r->names.refused && !r->is_full && !buffer_failed(&r->texts) &&
	       !buffer_failed(&r->paths);
}

/* --- writing --- */

/* Returns how much of the text is the path, or a folder above it. */
static size_t common_path(struct span text, const char *path)
{
	size_t folder = 0, i = 0;

	for (; i < text.size && path[i] && path[i] == text.data[i]; i++)
		folder = path[i] == '/' ? i : folder;
	return path[i] && path[i] != '/' ? folder : i;
}

/* Returns the length of a path. A path of more than one word is known from where it stood alone, or
 * stands in quotes. */
static size_t path_length(const struct redactor *r, struct span text, bool is_quoted)
{
	const char *quote = is_quoted ? memchr(text.data, '"', text.size) : NULL;
	size_t longest = quote ? (size_t)(quote - text.data) : 0;

	for (size_t at = 0; at < r->paths.size;) {
		const char *path = (const char *)r->paths.data + at;
		size_t size = common_path(text, path);

		longest = size > longest ? size : longest;
		at += strlen(path) + 1;
	}
	longest = word_end(r, text, longest);
	while (longest > 1 && strchr(".:", text.data[longest - 1]))
		longest--; /* of the sentence */
	return longest;
}

/* Returns the length of an address such as "alice@example.com" or "@socket"; 0: the text begins
 * with no address. "4711@1234" is a process. */
static size_t mail_length(struct span text)
{
	size_t length = 0, at = 0;
	bool has_letter = false;

	while (length < text.size && !ends_word(text.data[length]))
		length++;
	while (at < length && (ascii_is_alnum(text.data[at]) || strchr("._+-", text.data[at]))) {
		has_letter |= !ascii_is_digit(text.data[at]);
		at++;
	}
	if (at + 1 >= length || text.data[at] != '@' || text.data[at + 1] == '/' ||
		(at && !has_letter) || redact_is_public(span_of(text.data, length)))
		return 0;
	return length;
}

/* Writes the replacement of a private text at `at`. Returns the length of that text; 0: there is
 * none. */
static size_t write_private(struct redactor *r, struct span text, size_t at, struct buffer *out)
{
	struct span rest = span_of(text.data + at, text.size - at);
	bool is_own = false, is_within;
	size_t length;

	if (begins_path(text, at)) {
		length = path_length(r, rest, at && text.data[at - 1] == '"');
		redactor_write_path(r, span_of(rest.data, length), out);
		return length;
	}
	if (!is_boundary(text, at))
		return 0;
	/* Not from the second number of "1.2.3.4.5" on. */
	is_within = at > 1 && text.data[at - 1] == '.' && ascii_is_digit(text.data[at - 2]);
	length = is_within ? 0 : redact_address(rest, &is_own);
	if (length && is_own)
		buffer_append(out, rest.data, length);
	else if (length)
		redactor_number(r, "address", span_of(rest.data, length), out);
	if (length)
		return length;
	length = mail_length(rest);
	if (length)
		redactor_number(r, "name", span_of(rest.data, length), out);
	return length;
}

static void write_masked(struct redactor *r, struct span text, struct buffer *out)
{
	size_t at = 0;

	while (at < text.size) {
		const struct redact_name *n = name_at(r, text, at);
		size_t before = out->size, length = write_private(r, text, at, out);

		if (n && n->size > length) {
			out->size = before;
			buffer_append(out, r->texts.data + n->at, n->placeholder_size);
			length = n->size;
		} else if (!length) {
			buffer_char(out, text.data[at]);
			length = 1;
		}
		at += length;
	}
}

void redactor_write(struct redactor *r, struct span text, struct buffer *out)
{
	struct span masked;

	assert(r);
	buffer_reset(&r->masked);
	mask_text(&r->masked, text.data, text.size);
	masked = span_of((const char *)r->masked.data, r->masked.size);
	if (is_path_alone(masked))
		redactor_write_path(r, masked, out);
	else
		write_masked(r, masked, out);
}

void redactor_write_arguments(struct redactor *r, struct span arguments, struct buffer *out)
{
	bool is_first = true;

	for (size_t at = 0; at < arguments.size; is_first = false) {
		const char *stop = memchr(arguments.data + at, '\0', arguments.size - at);
		size_t end = stop ? (size_t)(stop - arguments.data) : arguments.size;

		if (is_first)
			redactor_write(r, span_of(arguments.data + at, end - at), out);
		else
			buffer_string(out, "***");
		buffer_char(out, '\0');
		at = end + 1;
	}
}
