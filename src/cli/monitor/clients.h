/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serves readers at a Unix socket. Each requests records, with a filter, in one line:
 *
 * syscalls,api_calls errno != 0 and pid = 4711
 */
#pragma once

#include "cli/monitor/feed.h"
#include "cli/monitor/fifo_folder.h"

#define CLIENTS_SOCKET	"monitor.sock"
#define CLIENTS_MAX	32
#define CLIENTS_REQUEST 4096

struct client {
	int fd;	      /* -1: none */
	uint32_t pid; /* process that connected; 0: unknown */
	bool has_begun, has_snapshot, is_ending, is_stuck;
	struct line_queue queue;
	struct filter *filter;
	bool wants[FEEDS];
	struct buffer request;
};

struct clients {
	int fd;
	uid_t uid; /* user that may connect, besides root */
	struct client all[CLIENTS_MAX];
	struct feed *const *feeds; /* FEEDS feeds; borrowed */
	size_t queue_bytes;	   /* size of each queue; 0: the default */
};

/* Opens the socket. Returns 0, or a negative errno with err filled: the socket cannot be made. */
int clients_open(struct clients *c, struct user_folder *folder, struct feed *const *feeds,
	struct sooth_error *err);
/* Listens again, in another folder; connected clients stay. */
int clients_listen(struct clients *c, struct user_folder *folder, struct sooth_error *err);
void clients_close(struct clients *c);
/* Accepts clients, reads requests, writes queued lines, and removes clients that are
 * gone. */
void clients_serve(struct clients *c);
/* Writes the lines of this queue, if it belongs to a client. */
void clients_drain(struct clients *c, struct line_queue *queue);
/* Returns the queue of the next client that has no snapshot yet, so that the caller puts one into
 * it; NULL: every client has one. */
struct line_queue *clients_next_new(struct clients *c);
