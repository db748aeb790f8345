/* SPDX-License-Identifier: BSD-2-Clause */
/* The compiler needs the headers of libcurl, the running program its library: at least 7.66. */
#include "cli/otlp/http_client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/closed_at_exec.h"
#include "base/shared_library.h"
#include "base/units.h"
#include "cli/rights/library_environment.h"

/* Checks of types, as macros with the names of functions. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define CONNECT_MS  5000l
#define POST_MS	    10000l /* a whole post */
#define ANSWER_MOST (64u << 10)
#define RETRY_MOST  (3600 * NS_PER_S)

#define FUNCTIONS(F)                                                                               \
	F(curl_global_init)                                                                        \
	F(curl_easy_init)                                                                          \
	F(curl_easy_setopt)                                                                        \
	F(curl_easy_getinfo)                                                                       \
	F(curl_easy_strerror)                                                                      \
	F(curl_easy_cleanup)                                                                       \
	F(curl_multi_init)                                                                         \
	F(curl_multi_add_handle)                                                                   \
	F(curl_multi_remove_handle)                                                                \
	F(curl_multi_perform)                                                                      \
	F(curl_multi_info_read)                                                                    \
	F(curl_multi_cleanup)                                                                      \
	F(curl_slist_append)                                                                       \
	F(curl_slist_free_all)                                                                     \
	F(curl_url)                                                                                \
	F(curl_url_set)                                                                            \
	F(curl_url_get)                                                                            \
	F(curl_url_cleanup)                                                                        \
	F(curl_free)

struct curl {
#define MEMBER(name) SHARED_MEMBER(name);
	FUNCTIONS(MEMBER)
#undef MEMBER
};

static const struct shared_function functions[] = {
#define ROW(name) SHARED_ROW(struct curl, name),
	FUNCTIONS(ROW)
#undef ROW
};

static const struct shared_library libcurl = { .file = "libcurl.so.4",
	.remedy = "install libcurl (Debian: libcurl4)",
	.purpose = "send to a collector",
	.functions = functions,
	.function_count = ARRAY_SIZE(functions) };

struct http_client {
	struct curl curl;
	char *url;
	struct curl_slist *headers; /* of each post */
	struct curl_slist *post;    /* of this one, the last of them: its type */
	CURLM *multi;
	CURL *easy;
	bool is_busy;
	size_t received; /* bytes of the answer */
};

/* --- the URL --- */

static int refuse_url(struct sooth_error *err, const char *url, const char *why, const char *remedy)
{
	bool is_private = strpbrk(url, "@?#"); /* it may have a password or a key */

	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "send to %s", is_private ? "this URL" : url);
	error_why(err, "%s", why);
	return error_remedy(err, "%s", remedy);
}

static bool is_loopback(const char *host)
{
	struct in_addr address;

	return !strcasecmp(host, "localhost") || !strcmp(host, "[::1]") ||
	       (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

static bool has_part(const struct curl *c, CURLU *u, CURLUPart part)
{
	char *text = NULL;
	bool is_there = !c->curl_url_get(u, part, &text, 0);

	c->curl_free(text);
	return is_there;
}

/* The text of a part is that of the parser which connects, so there is no second reading of it. */
static int check_parts(const struct curl *c, CURLU *u, const struct http_client_options *o,
	const char *scheme, const char *host, struct sooth_error *err)
{
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		return refuse_url(err, o->url, "it is neither http nor https",
			"--otlp http://127.0.0.1:4318");
	if (has_part(c, u, CURLUPART_USER) || has_part(c, u, CURLUPART_PASSWORD))
		return refuse_url(err, o->url, "other users can read a password in it",
			"put \"Authorization: ...\" into a file: --otlp-headers FILE");
	if (has_part(c, u, CURLUPART_QUERY) || has_part(c, u, CURLUPART_FRAGMENT))
		return refuse_url(err, o->url, "a path is added, so it may have no ? or #",
			"put keys into a file: --otlp-headers FILE");
	if (!strcmp(scheme, "http") && !is_loopback(host) && !o->is_insecure)
		return refuse_url(err, o->url, "http to another host can be read on the way",
			"use https, or add --otlp-insecure");
	return 0;
}

static int set_url(
	struct http_client *h, const struct http_client_options *o, struct sooth_error *err)
{
	const struct curl *c = &h->curl;
	CURLU *u = c->curl_url();
	char *scheme = NULL, *host = NULL, *whole = NULL;
	int status = 0;

	if (!u)
		return error_no_memory(err);
	if (c->curl_url_set(u, CURLUPART_URL, o->url, CURLU_NON_SUPPORT_SCHEME) ||
		c->curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
		c->curl_url_get(u, CURLUPART_HOST, &host, 0) ||
		c->curl_url_get(u, CURLUPART_URL, &whole, 0))
		status = refuse_url(err, o->url, "it is no URL", "--otlp http://127.0.0.1:4318");
	else
		status = check_parts(c, u, o, scheme, host, err);
	if (!status) {
		size_t size = strlen(whole);

		while (size && whole[size - 1] == '/')
			size--;
		h->url = strndup(whole, size);
	}
	c->curl_free(scheme);
	c->curl_free(host);
	c->curl_free(whole);
	c->curl_url_cleanup(u);
	return status || h->url ? status : error_no_memory(err);
}

/* --- a client --- */

static int refuse_header(struct sooth_error *err, const char *why)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "send the headers");
	error_why(err, "%s", why);
	return error_remedy(err, "write a line per header: Authorization: Bearer ...");
}

static int add_header(
	const struct curl *c, struct curl_slist **list, const char *line, struct sooth_error *err)
{
	struct curl_slist *longer = c->curl_slist_append(*list, line);

	if (!longer)
		return error_no_memory(err);
	*list = longer;
	return 0;
}

/* Empty lines and comments are skipped. No error repeats a line: it may be a secret. */
static int add_headers(struct http_client *h, char *lines, struct sooth_error *err)
{
	/* No pause of a second before each post. */
	int status = add_header(&h->curl, &h->headers, "Expect:", err);

	for (char *line = lines ? strtok_r(lines, "\r\n", &lines) : NULL; line && !status;
		line = strtok_r(NULL, "\r\n", &lines)) {
		size_t name = strcspn(line, ": \t");

		if (!*line || *line == '#')
			continue;
		if (!name || line[name] != ':')
			return refuse_header(err, "a line is not \"Name: value\"");
		status = add_header(&h->curl, &h->headers, line, err);
	}
	return status;
}

static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)user;
	(void)purpose;
	return closed_at_exec_socket(address->family, address->socktype, false);
}

/* Reads the answer, which is not needed; a longer one ends the post. */
static size_t take_answer(char *data, size_t size, size_t count, void *user)
{
	struct http_client *h = user;

	(void)data;
	h->received += size * count;
	return h->received > ANSWER_MOST ? 0 : size * count;
}

static void set_options(struct http_client *h)
{
	const struct curl *c = &h->curl;

	c->curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1l);
	c->curl_easy_setopt(h->easy, CURLOPT_PROXY, ""); /* none, whatever the environment says */
	c->curl_easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, 0l);
	c->curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	c->curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, POST_MS);
	c->curl_easy_setopt(h->easy, CURLOPT_MAXCONNECTS, 1l);
	c->curl_easy_setopt(h->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	c->curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, take_answer);
	c->curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	c->curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "sooth/" SOOTH_VERSION);
}

int http_client_new(struct http_client **out, const struct http_client_options *options,
	struct sooth_error *err)
{
	struct http_client *h = calloc(1, sizeof(*h));
	int status;

	assert(options->url);
	if (!h)
		return error_no_memory(err);
	library_environment_forget();
	status = shared_library_load(&libcurl, &h->curl, err);
	if (status) {
		free(h);
		return status;
	}
	if (h->curl.curl_global_init(CURL_GLOBAL_DEFAULT))
		status = error_no_memory(err);
	if (!status)
		status = set_url(h, options, err);
	if (!status && options->is_packed)
		status = add_header(&h->curl, &h->headers, "Content-Encoding: gzip", err);
	if (!status)
		status = add_headers(h, options->headers, err);
	if (!status) {
		h->multi = h->curl.curl_multi_init();
		h->easy = h->curl.curl_easy_init();
		if (!h->multi || !h->easy)
			status = error_no_memory(err);
	}
	if (status) {
		http_client_free(h);
		return status;
	}
	set_options(h);
	*out = h;
	return 0;
}

static void end_post(struct http_client *h)
{
	if (h->is_busy)
		h->curl.curl_multi_remove_handle(h->multi, h->easy);
	h->curl.curl_slist_free_all(h->post);
	h->post = NULL;
	h->is_busy = false;
}

void http_client_free(struct http_client *h)
{
	if (!h)
		return;
	end_post(h);
	h->curl.curl_easy_cleanup(h->easy);
	if (h->multi)
		h->curl.curl_multi_cleanup(h->multi);
	h->curl.curl_slist_free_all(h->headers);
	free(h->url);
	free(h);
}

/* --- a post --- */

static int copy_headers(struct http_client *h, const char *type, struct sooth_error *err)
{
	char line[64];
	int status;

	snprintf(line, sizeof(line), "Content-Type: %s", type);
	status = add_header(&h->curl, &h->post, line, err);
	for (const struct curl_slist *l = h->headers; l && !status; l = l->next)
		status = add_header(&h->curl, &h->post, l->data, err);
	return status;
}

int http_client_post(struct http_client *h, const char *path, const char *type, const void *body,
	size_t size, struct sooth_error *err)
{
	const struct curl *c = &h->curl;
	struct buffer url = { 0 };
	int status = copy_headers(h, type, err);

	assert(!h->is_busy);
	h->received = 0;
	buffer_format(&url, "%s%s", h->url, path);
	c->curl_easy_setopt(h->easy, CURLOPT_URL, buffer_cstr(&url)); /* copied */
	c->curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->post);
	c->curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, body); /* not copied */
	c->curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	if (!status && (buffer_failed(&url) || c->curl_multi_add_handle(h->multi, h->easy)))
		status = error_no_memory(err);
	buffer_fini(&url);
	h->is_busy = !status;
	if (status)
		end_post(h);
	return status;
}

static void read_answer(struct http_client *h, CURLcode result, struct http_client_answer *answer)
{
	const struct curl *c = &h->curl;
	curl_off_t after_s = 0;
	long code = 0;

	*answer = (struct http_client_answer){ 0 };
	c->curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &code);
	c->curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &after_s);
	/* A long answer was cut by this client: its status counts. */
	if (result && !(code && h->received > ANSWER_MOST))
		snprintf(answer->why, sizeof(answer->why), "%s", c->curl_easy_strerror(result));
	else
		answer->status = (unsigned)code;
	if (after_s > 0)
		answer->retry_after_ns = (uint64_t)after_s > RETRY_MOST / NS_PER_S
						 ? RETRY_MOST
						 : (uint64_t)after_s * NS_PER_S;
}

bool http_client_step(struct http_client *h, struct http_client_answer *answer)
{
	int running = 0, left;
	CURLMsg *message;

	if (!h->is_busy)
		return false;
	h->curl.curl_multi_perform(h->multi, &running);
	message = h->curl.curl_multi_info_read(h->multi, &left);
	if (!message || message->msg != CURLMSG_DONE)
		return false;
	read_answer(h, message->data.result, answer);
	end_post(h);
	return true;
}
