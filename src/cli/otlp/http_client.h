/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Posts requests to one server by libcurl, which is loaded on first use: no other run of sooth
 * needs it. Nothing blocks: http_client_step() does what can be done now. It follows no redirect,
 * uses no proxy and keeps no cookie; certificates are checked.
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

struct http_client;

struct http_client_options {
	const char *url;  /* of the server: "http://127.0.0.1:4318"; paths of posts are added */
	char *headers;	  /* lines "Name: value" to send, changed here; NULL: none */
	bool is_insecure; /* http to another host is allowed */
	bool is_packed;	  /* bodies are in gzip */
};

struct http_client_answer {
	unsigned status;	 /* of HTTP; 0: no answer */
	uint64_t retry_after_ns; /* the server requests this pause; 0: it does not */
	char why[128];		 /* why there is no answer */
};

/* -EINVAL: the URL cannot be used; -ENOTSUP: no libcurl. */
int http_client_new(struct http_client **out, const struct http_client_options *options,
	struct sooth_error *err);
/* Begins to post a body, which is borrowed until the answer. */
int http_client_post(struct http_client *h, const char *path, const char *type, const void *body,
	size_t size, struct sooth_error *err);
/* Returns whether the post is over, with its answer. */
bool http_client_step(struct http_client *h, struct http_client_answer *answer);
/* Also ends a post that is under way. */
void http_client_free(struct http_client *h);
