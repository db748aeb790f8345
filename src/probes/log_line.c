/* SPDX-License-Identifier: BSD-2-Clause */
#include "probes/log_line.h"

#include <assert.h>
#include <ctype.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/hash.h"

#define WORDS_READ   8	 /* words at the begin of a line that may be its level */
#define MESSAGE_READ 240 /* bytes of a message that its kind and its form depend on */

/* --- characters --- */

size_t log_line_clean(char *line, size_t size)
{
	size_t kept = 0;

	for (size_t i = 0; i < size; i++) {
		if (line[i] == '\033' && i + 1 < size && line[i + 1] == '[') {
			for (i += 2; i < size && !isalpha((unsigned char)line[i]);)
				i++;
			continue;
		}
		line[kept++] = line[i];
	}
	while (kept && isspace((unsigned char)line[kept - 1]))
		kept--;
	return kept;
}

size_t log_line_cut(struct span message, size_t most)
{
	size_t size = message.size;

	if (size <= most)
		return size;
	for (size = most; size && !isspace((unsigned char)message.data[size]);)
		size--;
	return size;
}

static bool is_word_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static struct span rest_of(struct span s, size_t at)
{
	return span_of(s.data + at, s.size - at);
}

static bool starts_as(struct span s, const char *text)
{
	size_t size = strlen(text);

	return s.size >= size && !strncasecmp(s.data, text, size);
}

/* Returns the next word, between blanks, from *at on; empty at the end. */
static struct span next_word(struct span s, size_t *at)
{
	size_t begin;

	while (*at < s.size && isspace((unsigned char)s.data[*at]))
		++*at;
	begin = *at;
	while (*at < s.size && !isspace((unsigned char)s.data[*at]))
		++*at;
	return span_of(s.data + begin, *at - begin);
}

/* --- level --- */

struct level {
	const char *word;
	enum log_line_kind kind;
};

static const struct level levels[] = {
	{ "error", LOG_LINE_ERROR }, { "err", LOG_LINE_ERROR }, { "err!", LOG_LINE_ERROR },
	{ "fatal", LOG_LINE_ERROR }, { "critical", LOG_LINE_ERROR }, { "crit", LOG_LINE_ERROR },
	{ "panic", LOG_LINE_ERROR }, { "emerg", LOG_LINE_ERROR }, { "alert", LOG_LINE_ERROR },
	{ "severe", LOG_LINE_ERROR }, { "warn", LOG_LINE_WARNING }, { "warning", LOG_LINE_WARNING },
	{ "info", LOG_LINE_ROUTINE }, { "debug", LOG_LINE_ROUTINE }, { "trace", LOG_LINE_ROUTINE },
	{ "notice", LOG_LINE_ROUTINE }, { "verbose", LOG_LINE_ROUTINE },
	{ "log", LOG_LINE_ROUTINE }, /* of PostgreSQL */
};

static bool is_upper(struct span s)
{
	for (size_t i = 0; i < s.size; i++) {
		if (islower((unsigned char)s.data[i]))
			return false;
	}
	return s.size > 0;
}

/* Returns a word without the signs of a level: "[error]", "ERROR:", "level=error", "<warn>". */
static struct span strip_level_signs(struct span word, bool *is_marked)
{
	static const char *const names[] = { "level=", "lvl=", "severity=", "loglevel=" };
	size_t before = word.size;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (starts_as(word, names[i]))
			word = rest_of(word, strlen(names[i]));
	}
	while (word.size && strchr("[(<|\"'", word.data[0]))
		word = rest_of(word, 1);
	while (word.size && strchr("])>|:,\"'", word.data[word.size - 1]))
		word.size--;
	*is_marked = word.size != before;
	return word;
}

/* Returns the level that a word names; LOG_LINE_BLANK: none. */
static enum log_line_kind level_of(struct span word)
{
	bool is_marked;
	struct span plain = strip_level_signs(word, &is_marked);

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (plain.size == strlen(levels[i].word) && starts_as(plain, levels[i].word))
			return is_marked || is_upper(plain) ? levels[i].kind : LOG_LINE_BLANK;
	}
	return LOG_LINE_BLANK;
}

/* Returns the level in fields without a space, as Java logs: "[1.3s][info][gc]". */
static enum log_line_kind level_in_fields(struct span word)
{
	enum log_line_kind kind = LOG_LINE_BLANK;

	while (word.size && word.data[0] == '[' && kind == LOG_LINE_BLANK) {
		const char *end = memchr(word.data, ']', word.size);
		size_t size = end ? (size_t)(end - word.data) + 1 : word.size;

		kind = level_of(span_of(word.data, size));
		word = rest_of(word, size);
	}
	return kind;
}

/* Returns the level of glog and klog: "E0612". */
static enum log_line_kind glog_level(struct span word)
{
	if (word.size != 5 || !memchr("IWEF", word.data[0], 4))
		return LOG_LINE_BLANK;
	for (size_t i = 1; i < word.size; i++) {
		if (!isdigit((unsigned char)word.data[i]))
			return LOG_LINE_BLANK;
	}
	return word.data[0] == 'I'   ? LOG_LINE_ROUTINE
	       : word.data[0] == 'W' ? LOG_LINE_WARNING
				     : LOG_LINE_ERROR;
}

/* Returns whether a word is a time, a date, a number of a process or thread, or their signs. */
static bool is_time(struct span word)
{
	static const char *const names[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "UTC",
		"GMT", "CET", "time=" };
	bool has_digit = false;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (word.size <= strlen(names[i]) + 2 && span_contains(word, names[i]))
			return true;
	}
	/* "E, [2026-01-02T03:04:05 #7] ERROR -- : x" of Ruby. */
	if (starts_as(word, "time=") || starts_as(word, "ts=") ||
		(word.size == 2 && word.data[1] == ',' && memchr("DIWEFU", word.data[0], 6)))
		return true;
	/* "12:M" of Redis: its pid and its role. */
	if (word.size > 2 && word.data[word.size - 2] == ':' &&
		isupper((unsigned char)word.data[word.size - 1]))
		word.size--;
	for (size_t i = 0; i < word.size; i++) {
		if (isdigit((unsigned char)word.data[i]))
			has_digit = true;
		else if (!strchr("-:.,/+TZ[]()#|*", word.data[i]))
			return false;
	}
	return has_digit || word.size == 1;
}

/* Returns whether a word is the class of a warning, as node and Python write it:
 * "TimeoutOverflowWarning:". A feature that will go does not fail yet. */
static bool is_warning_class(struct span word)
{
	return !span_contains(word, "Deprecation") && !span_contains(word, "Future") &&
	       word.size > strlen("Warning:") && isupper((unsigned char)word.data[0]) &&
	       span_ends(word, "Warning:");
}

/* Reads the level from the first words, and finds where the message begins. */
static void read_begin(struct log_line *out, struct span line)
{
	enum log_line_kind kind = LOG_LINE_BLANK;
	size_t at = 0, message = 0;
	bool is_begin = true;

	for (unsigned i = 0; i < WORDS_READ && kind == LOG_LINE_BLANK; i++) {
		struct span word = next_word(line, &at);

		if (!word.size)
			break;
		if (is_begin && is_warning_class(word)) {
			out->kind = LOG_LINE_WARNING;
			out->has_level = true;
			break;
		}
		kind = i ? level_of(word) : glog_level(word);
		if (!i && kind == LOG_LINE_BLANK)
			kind = level_in_fields(word);
		if (!i && kind == LOG_LINE_BLANK)
			kind = level_of(word);
		is_begin &= is_time(word) || kind != LOG_LINE_BLANK || starts_as(word, "(node:");
		if (is_begin)
			message = at;
	}
	if (kind != LOG_LINE_BLANK) {
		out->kind = kind;
		out->has_level = true;
		/* "gcc: file.c:3: error: x": the text before the level belongs to the message. */
		if (is_begin)
			message = at;
	}
	out->has_time = message > 0;
	while (message < line.size && strchr(" \t:|-", line.data[message]))
		message++;
	out->message = rest_of(line, message);
}

/* --- words --- */

static const char *const phrases[] = { "failed", "failure", "failing", "error", "errors",
	"exception", "panicked", "killed on", "terminated abnormally", "cannot", "can't", "can not",
	"could not", "couldn't", "unable to", "denied", "refused", "timed out", "no such",
	"not found", "not permitted", "not allowed", "no space left", "too many", "unreachable",
	"broken pipe", "reset by peer", "giving up", "aborted", "rejected", "fatal", "panic",
	"invalid", "out of memory", "has expired", "not reachable", "disk full",
	"segmentation fault", "unauthorized", "forbidden", "by signal", "on signal",
	"exited with code", "exited with status", "exit status" };

/* Words of routine messages that say that something is done, not that it begins. */
static const char *const done[] = { "ok", "done", "success", "successful", "successfully",
	"succeeded", "complete", "completed", "finished", "uploaded", "stored", "saved", "sent",
	"written", "wrote", "processed", "imported", "exported", "delivered", "accepted", "passed",
	"committed", "synced", "synchronized", "updated", "created", "published", "indexed",
	"fetched", "downloaded", "received", "handled", "served", "built", "deployed", "recovered",
	"flushed", "inserted", "200", "201", "202", "204" };

static bool is_word_for_none(struct span word)
{
	return span_equal(word, "0") || span_equal(word, "no") || span_equal(word, "without") ||
	       span_equal(word, "not") || span_equal(word, "No");
}

/* Returns whether the text denies an error: "0 errors", "no error", "errors: 0", "failed=0". */
static bool is_denied(struct span s, size_t at, size_t size)
{
	size_t begin = at, behind = at + size;

	while (begin && isspace((unsigned char)s.data[begin - 1]))
		begin--;
	at = begin;
	while (begin && !isspace((unsigned char)s.data[begin - 1]))
		begin--;
	if (is_word_for_none(span_of(s.data + begin, at - begin)))
		return true;
	while (behind < s.size && strchr(" =:", s.data[behind]))
		behind++;
	return behind > at && behind < s.size && s.data[behind] == '0' &&
	       (behind + 1 == s.size || !isdigit((unsigned char)s.data[behind + 1]));
}

static bool has_one_of(struct span s, const char *const *list, size_t count)
{
	for (size_t at = 0; at < s.size; at++) {
		if (at && (is_word_byte(s.data[at - 1]) || s.data[at - 1] == '-'))
			continue;
		for (size_t i = 0; i < count; i++) {
			size_t size = strlen(list[i]);
			char next = at + size < s.size ? s.data[at + size] : ' ';

			if (starts_as(rest_of(s, at), list[i]) && !is_word_byte(next) &&
				next != '-' && next != '=' && !is_denied(s, at, size))
				return true;
		}
	}
	return false;
}

static bool has_phrase(struct span s)
{
	return has_one_of(s, phrases, ARRAY_SIZE(phrases));
}

/* Returns whether a word names an exception: "KeyError:", "Errno::ENOENT", "(ArgumentError)". */
static bool is_exception(struct span word)
{
	static const char *const ends[] = { "Error", "Exception", "ERROR" };

	if (starts_as(word, "Errno::"))
		return true;
	while (word.size && strchr(":,;.)(\"'", word.data[word.size - 1]))
		word.size--;
	while (word.size && strchr("(\"'[", word.data[0]))
		word = rest_of(word, 1);
	if (!word.size || !isalpha((unsigned char)word.data[0]))
		return false;
	for (size_t i = 0; i < word.size; i++) {
		if (!is_word_byte(word.data[i]) && !strchr(".:$\\", word.data[i]))
			return false;
	}
	return SPAN_ANY(word, span_ends, ends);
}

static bool has_exception(struct span s, bool is_first)
{
	size_t at = 0;
	struct span word;

	while ((word = next_word(s, &at)).size) {
		if (is_exception(word))
			return true;
		if (is_first && !span_equal(word, "Caused") && !span_equal(word, "by:") &&
			!span_equal(word, "Uncaught"))
			return false;
	}
	return false;
}

/* --- lines of several messages --- */

static bool is_detail(struct span line)
{
	static const char *const begins[] = { "Traceback (most recent", "During handling of the",
		"The above exception", "goroutine ", "DETAIL:", "HINT:", "STATEMENT:", "CONTEXT:",
		"QUERY:", "LOCATION:", "Stack trace:", "stack backtrace:", "note: ", "from ", "at ",
		"^", "}" };

	if (isspace((unsigned char)line.data[0]))
		return true;
	return SPAN_ANY(line, span_starts, begins);
}

/* Returns the status in a line of an access log, `GET / HTTP/1.1" 502`; 0: it is no such line. */
static unsigned access_status(struct span line)
{
	for (size_t i = 0; i + 14 <= line.size; i++) {
		const char *at = line.data + i;

		if (!memcmp(at, "HTTP/", 5) && at[8] == '"' && at[9] == ' ' &&
			isdigit((unsigned char)at[10]) && isdigit((unsigned char)at[11]))
			return (unsigned)(at[10] - '0') * 100;
	}
	return 0;
}

/* --- JSON --- */

/* Returns the value of a member in a line of JSON: a string without its quotes, or a number. */
static struct span json_member(struct span line, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i + size + 3 < line.size; i++) {
		size_t at = i + size + 2, end;

		if (line.data[i] != '"' || memcmp(line.data + i + 1, name, size) != 0 ||
			line.data[i + size + 1] != '"')
			continue;
		while (at < line.size && strchr(" :", line.data[at]))
			at++;
		if (at < line.size && line.data[at] == '"') {
			for (end = ++at; end < line.size && line.data[end] != '"'; end++)
				end += line.data[end] == '\\';
		} else {
			for (end = at; end < line.size && isalnum((unsigned char)line.data[end]);)
				end++;
		}
		if (end > line.size)
			end = line.size;
		return at < end ? span_of(line.data + at, end - at) : (struct span){ 0 };
	}
	return (struct span){ 0 };
}

static void read_json(struct log_line *out, struct span line)
{
	static const char *const levels_of[] = { "level", "severity", "lvl", "levelname" };
	static const char *const messages[] = { "msg", "message", "error", "err", "event" };
	uint64_t number;
	struct span value = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(levels_of) && !value.size; i++)
		value = json_member(line, levels_of[i]);
	out->has_time = true;
	for (size_t i = 0; i < ARRAY_SIZE(levels) && value.size; i++) {
		if (value.size == strlen(levels[i].word) && starts_as(value, levels[i].word)) {
			out->kind = levels[i].kind;
			out->has_level = true;
		}
	}
	/* The numbers of pino and bunyan. */
	if (span_decimal(value, &number)) {
		out->kind = number >= 50   ? LOG_LINE_ERROR
			    : number >= 40 ? LOG_LINE_WARNING
					   : LOG_LINE_ROUTINE;
		out->has_level = true;
	}
	value = (struct span){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(messages) && !value.size; i++)
		value = json_member(line, messages[i]);
	out->message = value.size ? value : line;
}

/* --- form --- */

static bool is_number(struct span word)
{
	bool has_digit = false;

	for (size_t i = 0; i < word.size; i++) {
		has_digit |= isdigit((unsigned char)word.data[i]) != 0;
		if (!isxdigit((unsigned char)word.data[i]))
			return false;
	}
	return has_digit && word.size >= 6;
}

static uint64_t form_of(struct span s)
{
	uint64_t hash = HASH_BEGIN;
	size_t at = 0;
	struct span word;
	char quote = 0;

	s.size = s.size > MESSAGE_READ ? MESSAGE_READ : s.size;
	while ((word = next_word(s, &at)).size) {
		if (!quote)
			hash = hash_bytes(hash, " ", 1);
		if (!quote && (is_number(word) || memchr(word.data, '/', word.size)))
			continue;
		for (size_t i = 0; i < word.size; i++) {
			char c = word.data[i];

			if (quote) {
				quote = c == quote ? 0 : quote;
			} else if (c == '"' || c == '`' ||
				   (c == '\'' && (!i || !is_word_byte(word.data[i - 1])))) {
				quote = c;
			} else if (!isdigit((unsigned char)c)) {
				hash = hash_bytes(hash, &c, 1);
			}
		}
	}
	return hash;
}

void log_line_read(struct log_line *out, struct span line, bool is_log)
{
	struct span head;
	unsigned status;
	size_t at = 0;

	assert(out);
	*out = (struct log_line){ .kind = LOG_LINE_BLANK, .message = line };
	if (!line.size)
		return;
	if (is_detail(line)) {
		out->kind = LOG_LINE_DETAIL;
		return;
	}
	out->kind = LOG_LINE_ROUTINE;
	if (line.data[0] == '{')
		read_json(out, line);
	else
		read_begin(out, line);
	head = out->message;
	head.size = head.size > MESSAGE_READ ? MESSAGE_READ : head.size;
	status = access_status(line);
	if (status && !out->has_level) {
		out->kind = status == 500 ? LOG_LINE_WARNING : LOG_LINE_ROUTINE;
		out->has_level = out->has_time = true;
	} else if (!out->has_level &&
		   (has_exception(head, !is_log) || (is_log && has_phrase(head)))) {
		out->kind = LOG_LINE_ERROR;
	} else if (out->kind == LOG_LINE_WARNING && !has_phrase(head) &&
		   !has_exception(head, false) && !is_warning_class(next_word(out->message, &at))) {
		/* "slow query", "deprecated": nothing failed. */
		out->kind = LOG_LINE_ROUTINE;
	}
	out->is_done = out->kind == LOG_LINE_ROUTINE &&
		       (status ? status < 400 : has_one_of(head, done, ARRAY_SIZE(done)));
	out->form = form_of(out->message);
}
