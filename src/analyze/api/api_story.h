/* SPDX-License-Identifier: BSD-2-Clause */
/* A request that is repeated after a failure: since when, and how often so far. */
#pragma once

#include "analyze/api/api_connection.h"

struct api_story_key {
	struct process_id process;
	char endpoint[API_ENDPOINT];
};

struct api_story {
	uint32_t attempts; /* failed attempts in a row; 0: none */
	bool has_request;  /* false: only connects failed */
	uint64_t since_ns;
	uint64_t bytes_out;
	char method[API_METHOD];
	char path[API_PATH];
};

struct api_story_key api_story_key_of(const struct process_id *process, const char *endpoint);
/* Begins a request: sets its attempt number and the begin of its first attempt in `call`. */
void api_story_begin(const struct api_story *s, struct api_call *call);
/* Returns whether the call ended in a way after which a client tries again. */
bool api_story_failed(const struct api_call *call);
/* Returns whether the call has an answer after which no further attempt follows. */
bool api_story_is_over(const struct api_call *call, enum api_event event);
void api_story_add(struct api_story *s, const struct api_call *call);
void api_story_add_connect(struct api_story *s, uint64_t now_ns);
