/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/clients.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/closed_at_exec.h"
#include "cli/control/control.h"
#include "cli/monitor/monitor_lines.h"

#define SOCKET_BYTES (1 << 20) /* bytes of the socket's buffer, or as many as the system allows */

/* --- requests --- */

static void put_error(struct client *client, const char *what, const char *why)
{
	struct buffer line = { 0 };

	monitor_line_error(&line, what, why);
	if (!buffer_failed(&line))
		line_queue_put(&client->queue, (const char *)line.data, line.size);
	buffer_fini(&line);
	client->is_ending = true;
}

/* Reads names of feeds, "syscalls,api_calls"; false: there is no feed of one name. */
static bool read_records(struct client *client, const char *names, size_t size)
{
	while (size) {
		const char *comma = memchr(names, ',', size);
		size_t length = comma ? (size_t)(comma - names) : size;
		enum feed_id id = feed_find(names, length);

		if (id == FEEDS)
			return false;
		client->wants[id] = true;
		length += comma != NULL;
		names += length;
		size -= length;
	}
	return true;
}

static const char *find_unknown_field(const struct client *client)
{
	const struct sooth_schema *all[16];
	size_t count = 0;

	for (enum feed_id id = 0; id < FEEDS; id++) {
		const struct sooth_schema *const *some = feed_schemas(id);

		while (client->wants[id] && *some && count < sizeof(all) / sizeof(all[0]))
			all[count++] = *some++;
	}
	return filter_unknown(client->filter, all, count);
}

static void read_filter(struct client *client, const char *text)
{
	struct sooth_error err;
	const char *unknown;

	if (!*text)
		return;
	if (filter_new(&client->filter, text, &err)) {
		put_error(client, err.tried, err.why);
		return;
	}
	unknown = find_unknown_field(client);
	if (unknown)
		put_error(client, unknown, "no requested record has a field of that name");
}

static void begin_client(struct clients *c, struct client *client)
{
	char *line = (char *)client->request.data;
	size_t size = strcspn(line, " \n");
	char records[CLIENTS_REQUEST];

	line[strcspn(line, "\n")] = '\0';
	client->has_begun = true;
	snprintf(records, sizeof(records), "%.*s", (int)size, line);
	if (!read_records(client, records, size) || !size) {
		put_error(client, records, "the records are syscalls, scheduler and api_calls");
		return;
	}
	line_queue_begin(&client->queue, records);
	read_filter(client, line + size + strspn(line + size, " "));
	for (size_t i = 0; i < FEEDS && !client->is_ending; i++) {
		if (!client->wants[i])
			continue;
		if (feed_add_reader(c->feeds[i], &client->queue, client->filter))
			put_error(client, "more readers", "there are too many already");
		else
			feed_put_state(c->feeds[i], &client->queue);
	}
}

/* --- clients --- */

static void release_client(struct clients *c, struct client *client)
{
	for (size_t i = 0; i < FEEDS; i++)
		feed_remove_reader(c->feeds[i], &client->queue);
	if (client->pid)
		map_remove(c->feeds[0]->hidden, &client->pid);
	close(client->fd);
	line_queue_fini(&client->queue);
	filter_free(client->filter);
	buffer_fini(&client->request);
	*client = (struct client){ .fd = -1 };
}

static void refuse_client(int fd, const char *what, const char *why)
{
	struct line_queue queue = { 0 };
	struct buffer line = { 0 };
	bool is_stuck = false;

	monitor_line_error(&line, what, why);
	if (!buffer_failed(&line))
		line_queue_put(&queue, (const char *)line.data, line.size);
	line_queue_write_all(&queue, fd, &is_stuck);
	line_queue_fini(&queue);
	buffer_fini(&line);
	close(fd);
}

static void accept_one(struct clients *c, int fd)
{
	int bytes = SOCKET_BYTES;
	uint32_t pid = 0;

	if (!control_peer_is_of(fd, c->uid, &pid)) {
		refuse_client(
			fd, "another user", "a monitor serves the user of its folder, and root");
		return;
	}
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (c->all[i].fd >= 0)
			continue;
		c->all[i].fd = fd;
		c->all[i].pid = pid;
		c->all[i].queue.most = c->queue_bytes;
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
		return;
	}
	refuse_client(fd, "more readers", "a monitor serves 32 at a time");
}

static void accept_all(struct clients *c)
{
	int fd;

	while ((fd = closed_at_exec_accept(c->fd, false)) >= 0)
		accept_one(c, fd);
}

/* Reads a request. False: the client is gone. Bytes after the request are read and ignored. */
static bool read_request(struct clients *c, struct client *client)
{
	char bytes[CLIENTS_REQUEST];
	ssize_t size = read(client->fd, bytes, sizeof(bytes));

	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!size)
		return false;
	if (client->has_begun)
		return true;
	buffer_append(&client->request, bytes, (size_t)size);
	if (client->request.size > CLIENTS_REQUEST || buffer_failed(&client->request))
		return false;
	buffer_cstr(&client->request);
	if (memchr(client->request.data, '\n', client->request.size))
		begin_client(c, client);
	return true;
}

void clients_serve(struct clients *c)
{
	if (c->fd < 0)
		return;
	accept_all(c);
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &c->all[i];

		if (client->fd < 0)
			continue;
		if (!read_request(c, client)) {
			release_client(c, client);
			continue;
		}
		if (line_queue_write_all(&client->queue, client->fd, &client->is_stuck) ||
			(client->is_ending && !client->queue.lines.size))
			release_client(c, client);
	}
}

void clients_drain(struct clients *c, struct line_queue *queue)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &c->all[i];

		/* The next service of the client shows again whether it is gone. */
		if (client->fd >= 0 && &client->queue == queue)
			line_queue_write_all(queue, client->fd, &client->is_stuck);
	}
}

struct line_queue *clients_next_new(struct clients *c)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &c->all[i];

		if (client->fd < 0 || !client->has_begun || client->has_snapshot ||
			client->is_ending)
			continue;
		client->has_snapshot = true;
		return &client->queue;
	}
	return NULL;
}

/* --- the socket --- */

int clients_open(struct clients *c, struct user_folder *folder, struct feed *const *feeds,
	struct sooth_error *err)
{
	c->uid = folder->uid;
	c->feeds = feeds;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		c->all[i].fd = -1;
	c->fd = -1;
	return clients_listen(c, folder, err);
}

int clients_listen(struct clients *c, struct user_folder *folder, struct sooth_error *err)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = fifo_folder_listen(folder, CLIENTS_SOCKET, err);
	return c->fd < 0 ? c->fd : 0;
}

void clients_close(struct clients *c)
{
	for (size_t i = 0; i < CLIENTS_MAX && c->feeds; i++) {
		if (c->all[i].fd >= 0)
			release_client(c, &c->all[i]);
	}
	if (c->feeds && c->fd >= 0)
		close(c->fd);
}
