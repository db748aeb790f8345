/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about connections of an ordinary program, at both sides of their thresholds. */
#include <signal.h>

#include "check_sockets.h"
#include "check_threads.h"
#include "probes/waits.h"

#define HIDDEN SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)

/* --- close-wait-leak --- */

static const struct sockets_socket closed = { .state = SOCKETS_CLOSE_WAIT, .sent_bytes = 100 };

static void keeps_between(double count, struct sockets_socket last, double seconds)
{
	struct sockets_socket first = closed;

	is_there();
	for (uint32_t i = 1; i <= (uint32_t)count; i++) {
		first.inode = i;
		socket_at(0, first);
	}
	sockets_read(0, (uint32_t)count, SOOTH_STATE_VALUE);
	for (uint32_t i = 1; i <= (uint32_t)count; i++) {
		last.inode = i;
		socket_at(seconds, last);
	}
	sockets_read(seconds, (uint32_t)count, SOOTH_STATE_VALUE);
}

static void keeps(double count)
{
	keeps_between(count, closed, LAST_S);
}

static void keeps_for(double seconds)
{
	keeps_between(20, closed, seconds);
}

static void keeps_and_answers(double bytes)
{
	struct sockets_socket last = closed;

	last.sent_bytes += (uint64_t)bytes;
	keeps_between(20, last, LAST_S);
}

static void keeps_and_sends(double queued)
{
	struct sockets_socket last = closed;

	last.send_queue_bytes = (uint64_t)queued;
	keeps_between(20, last, LAST_S);
}

/* The end of the stream counts as a byte. */
static void keeps_unread(double queued)
{
	struct sockets_socket last = closed;

	last.receive_queue_bytes = (uint64_t)queued;
	keeps_between(20, last, LAST_S);
}

static void keeps_open(double state)
{
	struct sockets_socket last = closed;

	last.state = (uint8_t)state;
	keeps_between(20, last, LAST_S);
}

/* Twenty, but these were not there at first. */
static void keeps_others(double since)
{
	struct sockets_socket s = closed;

	is_there();
	for (uint32_t i = 1; i <= 20; i++) {
		s.inode = i;
		socket_at(0, s);
	}
	sockets_read(0, 20, SOOTH_STATE_VALUE);
	for (uint32_t i = 1; i <= 20; i++) {
		s.inode = i <= (uint32_t)since ? 100 + i : i;
		socket_at(LAST_S, s);
	}
	sockets_read(LAST_S, 20, SOOTH_STATE_VALUE);
}

static void keeps_of_two(double of_one)
{
	is_there();
	for (int reading = 0; reading < 2; reading++) {
		for (uint32_t i = 1; i <= 20; i++) {
			struct sockets_socket s = closed;

			s.inode = i;
			s.peer_port = i <= (uint32_t)of_one ? 80 : 443;
			socket_at(reading * LAST_S, s);
		}
		sockets_read(reading * LAST_S, 20, SOOTH_STATE_VALUE);
	}
}

static void sockets_are_hidden(double state)
{
	is_there();
	sockets_read(0, 0, (uint8_t)state);
	sockets_read(LAST_S, 0, (uint8_t)state);
}

static void no_sockets_read(double value)
{
	(void)value;
	is_there();
}

static void test_close_wait(void **state)
{
	static const struct check_case cases[] = {
		{ "close-wait-leak", keeps, 20, NULL,
			"=medium/high: leaks connections: the peer closed 20, the process did not "
			"{connection HTTPS, 10.0.0.1:443} [connections that stayed in CLOSE_WAIT "
			"during the whole observation: 20 over 5.00s] [connections in CLOSE_WAIT "
			"when the observation started: 20] [connections in CLOSE_WAIT when the "
			"observation ended: 20] [peer: HTTPS, 10.0.0.1:443: 20] (unseen: how long "
			"the connections have been in CLOSE_WAIT: the kernel does not record it) "
			"<sooth inspect --sockets 99 lists the connections; restarting the process "
			"closes them>\n" },
		{ "close-wait-leak", keeps, 19, NULL,
			"=fine: the peer closed 19 connections, and the process keeps 19 of these "
			"open\n" },
		{ "close-wait-leak", keeps_for, 1, NULL, "medium/high: " },
		{ "close-wait-leak", keeps_for, 0.99, NULL, "blind: |<observe longer" },
		{ "close-wait-leak", keeps_and_answers, 1, NULL,
			"fine: the peer closed 20 connections, and the process keeps 0" },
		{ "close-wait-leak", keeps_and_sends, 1, NULL,
			"fine: the peer closed 20 connections, and the process keeps 0" },
		{ "close-wait-leak", keeps_unread, 1, NULL, "medium/high: |!not read" },
		{ "close-wait-leak", keeps_unread, 2, NULL,
			"medium/high: |[data received on these connections that the process has "
			"not read: 20B]" },
		{ "close-wait-leak", keeps_open, SOCKETS_ESTABLISHED, NULL,
			"fine: the peer closed 0 connections, and the process keeps 0 of these "
			"open" },
		{ "close-wait-leak", keeps_others, 1, NULL,
			"fine: the peer closed 20 connections, and the process keeps 19" },
		{ "close-wait-leak", keeps_of_two, 11, NULL,
			"medium/|{connection HTTP, 10.0.0.1:80}|[peer: HTTPS, 10.0.0.1:443: 9]" },
		{ "close-wait-leak", keeps_of_two, 9, NULL, "medium/|{connection HTTPS, 10" },
		{ "close-wait-leak", sockets_are_hidden, HIDDEN, NULL,
			"blind: |<run sooth as the user of the process" },
		{ "close-wait-leak", no_sockets_read, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- stream-stalled --- */

#define SECONDS (double)NS_PER_S

/* It asked so long ago, and something had come so long before that. */
static struct sockets_socket asking(double s, double before_s)
{
	return (struct sockets_socket){ .sent_bytes = 500,
		.received_bytes = 1000,
		.sent_ago_ns = (uint64_t)(s * SECONDS),
		.received_ago_ns = (uint64_t)((s + before_s) * SECONDS) };
}

static void asks_since(double s)
{
	is_there();
	connection(asking(s - 5, 10), asking(s, 10));
}

static void asks_behind(double before_s)
{
	is_there();
	connection(asking(25, before_s), asking(30, before_s));
}

/* Nothing has ever come. */
static void asks_first(double s)
{
	struct sockets_socket last = asking(s, 0);

	last.received_state = SOOTH_STATE_ABSENT;
	last.received_bytes = 0;
	is_there();
	connection(last, last);
}

static void has_never_sent(double s)
{
	struct sockets_socket last = asking(s, 10);

	last.sent_state = SOOTH_STATE_ABSENT;
	is_there();
	connection(last, last);
}

static void is_accepted(double side)
{
	struct sockets_socket last = asking(40, 10);

	last.side = (uint8_t)side;
	is_there();
	connection(last, last);
}

static void is_of_family(double family)
{
	struct sockets_socket last = asking(40, 10);

	last.family = (uint8_t)family;
	is_there();
	connection(last, last);
}

static void is_untold(double state)
{
	struct sockets_socket last = asking(40, 10);

	last.sent_state = (uint8_t)state;
	is_there();
	connection(last, last);
}

/* Values are refused to root, as in a container: being root does not help. */
static void is_untold_to_root(double state)
{
	struct proc_snapshot snapshot = { .record = head_of(0.5, 0, PROC_SNAPSHOT),
		.is_of_root = true };

	is_untold(state);
	RECORD_APPEND(&records, &snapshot, NULL, 0);
}

static void is_sent_again(double times)
{
	struct sockets_socket last = asking(1, 1);

	last.retransmits_waiting = (uint32_t)times;
	last.send_queue_bytes = 100;
	is_there();
	connection(last, last);
}

/* The peer acknowledges, and takes nothing. */
static void is_not_taken(double s)
{
	struct sockets_socket last = asking(s, 10);

	last.send_queue_bytes = 100000;
	is_there();
	connection(last, last);
}

static void is_taken_slowly(double went)
{
	struct sockets_socket first = asking(35, 10), last = asking(40, 10);

	last.sent_bytes += (uint64_t)went;
	last.send_queue_bytes = 100000;
	is_there();
	connection(first, last);
}

/* The data that came before the first reading is still there at the last. */
static void is_not_read(double before_s)
{
	struct sockets_socket first = asking(before_s, 0), last = asking(before_s + 5, 0);

	first.receive_queue_bytes = last.receive_queue_bytes = 2048;
	is_there();
	connection(first, last);
}

static void is_read_slowly(double read)
{
	struct sockets_socket first = asking(20, 0), last = asking(25, 0);

	first.receive_queue_bytes = 2048;
	last.receive_queue_bytes = 2048 - (uint64_t)read;
	is_there();
	connection(first, last);
}

static void is_quiet(double s)
{
	struct sockets_socket last = asking(s, -1);

	is_there();
	connection(last, last);
}

static void is_stopped(double state)
{
	struct proc_process p = { .state = (char)state };

	for (int i = 0; i < LOOKS; i++)
		process_at(i, p, "thing");
	connection(asking(35, 10), asking(40, 10));
}

static void five_ask(double count)
{
	is_there();
	for (uint32_t i = 1; i <= (uint32_t)count; i++) {
		struct sockets_socket s = asking(40 + i, 10);

		s.inode = i;
		s.local_port = (uint16_t)(40000 + i);
		socket_at(LAST_S, s);
	}
	sockets_read(LAST_S, (uint32_t)count, SOOTH_STATE_VALUE);
}

/* --- threads that wait for the data --- */

static void blocked(const char *call, uint64_t fd)
{
	thread((struct thread_made){ .call = call, .arguments = { fd } });
	threads_read(1);
}

/* It asked as soon as it had its answer. */
static void reads_after(double s)
{
	is_there();
	connection(asking(s, 0), asking(s, 0));
	blocked("recvfrom", 0);
}

/* Data came last: some of an answer, or all of it. */
static void reads_more(double s)
{
	is_there();
	connection(asking(s + 1, -1), asking(s + 1, -1));
	blocked("read", 0);
}

/* The server has to speak first. */
static void reads_first(double s)
{
	struct sockets_socket last = asking(s, 0);

	last.sent_state = last.received_state = SOOTH_STATE_ABSENT;
	is_there();
	connection(last, last);
	blocked("recvfrom", 0);
}

static void reads_other(double fd)
{
	is_there();
	connection(asking(40, 0), asking(40, 0));
	blocked("recvfrom", (uint64_t)fd);
}

static void writes_it(double fd)
{
	is_there();
	connection(asking(40, 0), asking(40, 0));
	blocked("write", (uint64_t)fd);
}

static void datagrams(struct sockets_socket s)
{
	s.protocol_state = SOOTH_STATE_VALUE;
	is_there();
	udp_at(0, s);
	sockets_read(0, 1, SOOTH_STATE_VALUE);
	udp_at(LAST_S, s);
	sockets_read(LAST_S, 1, SOOTH_STATE_VALUE);
	blocked("recvfrom", 0);
}

static void looks_up(double port)
{
	datagrams((struct sockets_socket){ .peer_port = (uint16_t)port });
}

static void serves_udp(double port)
{
	datagrams((struct sockets_socket){ .local_port = (uint16_t)port,
		.state = SOCKETS_CLOSE,
		.peer_state = SOOTH_STATE_ABSENT,
		.peer_port_state = SOOTH_STATE_ABSENT });
}

static void test_stream_stalled(void **state)
{
	static const struct check_case cases[] = {
		{ "stream-stalled", asks_since, 30, NULL,
			"=low/low: waiting for HTTPS (10.0.0.1:443): no data for 30 s {connection "
			"10.0.0.9:40000 > 10.0.0.1:443} [time since data was last sent: 30.0s] "
			"[time since data was last received: 40.0s] [sent and acknowledged: 500B] "
			"[received: 1000B] [data received during the observation: 0B over 5.00s] "
			"[network: fine: everything acknowledged, nothing unread] [round trip: "
			"0ns] [descriptor: 0] (unseen: whether the server should have answered: "
			"some requests wait for events by design) (unseen: whether the peer still "
			"answers: no data was sent that it would have to acknowledge) <check "
			"whether the "
			"server answers others, and any proxy between; a client with a timeout "
			"would give up by itself>\n" },
		{ "stream-stalled", asks_since, 29.9, NULL,
			"=fine: 1 outgoing connection, 1 in use\n" },
		{ "stream-stalled", asks_behind, 0.1, NULL, "low/low: " },
		{ "stream-stalled", asks_behind, 0.09, NULL,
			"blind: the last data sent on a quiet connection may be a request" },
		{ "stream-stalled", asks_behind, -0.01, NULL, "fine: |longest idle 30" },
		{ "stream-stalled", reads_after, 30, NULL,
			"low/medium: waiting for HTTPS (10.0.0.1:443): no data for 30 s|[thread: "
			"99 is blocked reading it]" },
		{ "stream-stalled", reads_after, 29.9, NULL,
			"blind: no data for only 30 s; the check needs 30 s|<observe longer" },
		{ "stream-stalled", reads_after, 4.9, NULL, "fine: |1 in use" },
		{ "stream-stalled", reads_more, 30, NULL,
			"low/low: waiting for HTTPS (10.0.0.1:443): no data for 30 s {|(unseen: "
			"whether the answer was complete; a program that waits for events" },
		{ "stream-stalled", reads_more, 29.9, NULL, "blind: no data for " },
		{ "stream-stalled", reads_first, 30, NULL, "low/medium: |without any data" },
		{ "stream-stalled", reads_other, 0, NULL, "low/medium: " },
		{ "stream-stalled", reads_other, 1, NULL, "blind: " },
		{ "stream-stalled", writes_it, 0, NULL, "blind: " },
		{ "stream-stalled", looks_up, 53, NULL,
			"medium/medium: waiting for the name server 10.0.0.1:53: no answer (DNS) "
			"for 5 s|<check the name servers in /etc/resolv.conf" },
		{ "stream-stalled", looks_up, 54, NULL, "fine: " },
		{ "stream-stalled", looks_up, 53, "stream-stalled.lookup=5001ms", "fine: " },
		{ "stream-stalled", looks_up, 54, "stream-stalled.silence=5s",
			"low/low: waiting for 10.0.0.1:54: no datagram (UDP) for 5 s" },
		{ "stream-stalled", serves_udp, 32768, "stream-stalled.silence=5s",
			"low/low: waiting for UDP port 32768: no datagram (UDP) for 5 s" },
		{ "stream-stalled", serves_udp, 32767, "stream-stalled.silence=5s", "fine: " },
		{ "stream-stalled", asks_first, 30, NULL,
			"low/low: |[time since the connection was opened, without any data: "
			"30.0s]" },
		{ "stream-stalled", has_never_sent, 40, NULL, "fine: " },
		{ "stream-stalled", is_accepted, SOCKETS_SIDE_UNKNOWN, NULL, "low/low: " },
		{ "stream-stalled", is_accepted, SOCKETS_SIDE_ACCEPTED, NULL,
			"=fine: the process has no outgoing connections\n" },
		{ "stream-stalled", is_of_family, SOCKETS_INET6, NULL, "low/low: " },
		{ "stream-stalled", is_of_family, SOCKETS_VSOCK, NULL,
			"fine: the process has no outgoing" },
		{ "stream-stalled", is_untold, HIDDEN, NULL,
			"blind: |<run sooth as root or with cap_sys_admin>" },
		{ "stream-stalled", is_untold_to_root, HIDDEN, NULL,
			"blind: |<run sooth on the host, outside of containers>" },
		{ "stream-stalled", is_sent_again, 5, NULL,
			"medium/high: the connection to HTTPS (10.0.0.1:443) is dead: 5 "
			"retransmissions|[retransmissions: 5]|<check network" },
		{ "stream-stalled", is_sent_again, 4, NULL, "fine: " },
		{ "stream-stalled", is_not_taken, 30, NULL,
			"low/high: HTTPS (10.0.0.1:443) accepts no data: 97.7 KiB waiting to be "
			"sent for 30 s|<check the server" },
		{ "stream-stalled", is_not_taken, 29.9, NULL, "fine: " },
		{ "stream-stalled", is_taken_slowly, 0, NULL, "low/high: " },
		{ "stream-stalled", is_taken_slowly, 1, NULL, "fine: " },
		{ "stream-stalled", is_not_read, 5, NULL,
			"low/high: does not read from HTTPS (10.0.0.1:443): 2.0 KiB unread for 10 "
			"s|<sooth inspect --threads 99 " },
		{ "stream-stalled", is_not_read, 4.9, NULL, "fine: " },
		{ "stream-stalled", is_read_slowly, 0, NULL, "low/high: " },
		{ "stream-stalled", is_read_slowly, 1, NULL, "fine: " },
		{ "stream-stalled", is_quiet, 3600, NULL, "fine: |longest idle 59m59s" },
		{ "stream-stalled", is_stopped, 'T', NULL,
			"=fine: the process is stopped: none of its threads runs\n" },
		{ "stream-stalled", is_stopped, 't', NULL, "fine: the process is stopped" },
		{ "stream-stalled", is_stopped, 'S', NULL, "low/low: " },
		{ "stream-stalled", five_ask, 4, NULL, "low/low: |for 41 s|for 44 s" },
		{ "stream-stalled", five_ask, 5, NULL, "low/low: |!for 41 s|for 45 s" },
		{ "stream-stalled", sockets_are_hidden, HIDDEN, NULL,
			"blind: |<run sooth as the user of the process" },
		{ "stream-stalled", no_sockets_read, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- clients-waiting --- */

static const struct sockets_socket listening = { .state = SOCKETS_LISTEN,
	.side = SOCKETS_SIDE_UNKNOWN,
	.local_port = 80,
	.peer_state = SOOTH_STATE_ABSENT,
	.peer_port_state = SOOTH_STATE_ABSENT };

static void serves(struct sockets_socket first, struct sockets_socket last, double seconds)
{
	is_there();
	socket_at(0, first);
	sockets_read(0, 1, SOOTH_STATE_VALUE);
	socket_at(seconds, last);
	sockets_read(seconds, 1, SOOTH_STATE_VALUE);
}

static void queues(double count)
{
	struct sockets_socket first = listening, last = listening;

	first.receive_queue_bytes = 2;
	last.receive_queue_bytes = (uint64_t)count;
	serves(first, last, LAST_S);
}

static void queues_for(double seconds)
{
	struct sockets_socket s = listening;

	s.receive_queue_bytes = 2;
	serves(s, s, seconds);
}

static void queue_fills(double first_count)
{
	struct sockets_socket first = listening, last = listening;

	first.receive_queue_bytes = (uint64_t)first_count;
	last.receive_queue_bytes = 2;
	serves(first, last, LAST_S);
}

/* Another connection was accepted in between. */
static void queues_and_accepts(double side)
{
	struct sockets_socket s = listening, new = { .inode = 2, .side = (uint8_t)side };

	s.receive_queue_bytes = 2;
	is_there();
	socket_at(0, s);
	sockets_read(0, 1, SOOTH_STATE_VALUE);
	socket_at(LAST_S, s);
	socket_at(LAST_S, new);
	sockets_read(LAST_S, 2, SOOTH_STATE_VALUE);
}

/* The process is its own client. */
static void queues_itself(double port)
{
	struct sockets_socket s = listening, own = { .inode = 2, .peer_port = (uint16_t)port };

	s.receive_queue_bytes = 1;
	is_there();
	for (int i = 0; i < 2; i++) {
		socket_at(i * LAST_S, s);
		socket_at(i * LAST_S, own);
		sockets_read(i * LAST_S, 2, SOOTH_STATE_VALUE);
	}
}

static void client_unread(double read)
{
	struct sockets_socket first = asking(20, 0), last = asking(25, 0);

	first.side = last.side = SOCKETS_SIDE_ACCEPTED;
	first.receive_queue_bytes = 500;
	last.receive_queue_bytes = 500 - (uint64_t)read;
	serves(first, last, LAST_S);
}

/* Its thread waits for events of that socket, which are these, or of another one (0). */
static void unread_in_epoll(double events)
{
	struct sockets_socket first = asking(20, 0), last = asking(25, 0);
	struct fds_member m = { .record = head_of(LAST_S, PID, FDS_MEMBER),
		.inode = events > 0 ? 5 : 777,
		.events = events > 0 ? (uint32_t)events : FDS_MEMBER_EDGE };
	struct fds_process end = { .record = head_of(LAST_S, PID, FDS_PROCESS), .descriptors = 3 };

	first.side = last.side = SOCKETS_SIDE_ACCEPTED;
	first.inode = last.inode = 5;
	first.receive_queue_bytes = last.receive_queue_bytes = 500;
	serves(first, last, LAST_S);
	RECORD_APPEND(&records, &m, NULL, 0);
	RECORD_APPEND(&records, &end, NULL, 0);
	thread((struct thread_made){ .name = "server", .state = 'S', .call = "epoll_wait" });
	threads_read(1);
}

static void test_clients_waiting(void **state)
{
	static const struct check_case cases[] = {
		{ "clients-waiting", queues, 2, NULL,
			"=medium/high: clients wait: 2 connections are not accepted on "
			"10.0.0.9:80, for at least 5 s [connections that are not accepted: 2 over "
			"5.00s] "
			"[time without accepting or reading: 5.00s] (unseen: whether another "
			"process that shares this listening socket should accept the "
			"connections) <sooth stack 99 shows where its threads wait instead; a "
			"server must not wait in the thread that serves>\n" },
		{ "clients-waiting", queues, 1, NULL, "blind: connections came" },
		{ "clients-waiting", queues, 0, NULL, "=fine: 0 clients wait\n" },
		{ "clients-waiting", queues_for, 3, NULL, "medium/high: " },
		{ "clients-waiting", queues_for, 2.99, NULL, "fine: " },
		{ "clients-waiting", queue_fills, 0, NULL, "blind: connections came" },
		{ "clients-waiting", queue_fills, 1, NULL, "medium/high: " },
		{ "clients-waiting", queues_and_accepts, SOCKETS_SIDE_ACCEPTED, NULL, "fine: " },
		{ "clients-waiting", queues_and_accepts, SOCKETS_SIDE_MADE, NULL, "medium/" },
		{ "clients-waiting", queues_itself, 80, NULL, "fine: " },
		{ "clients-waiting", queues_itself, 81, NULL, "low/high: |1 connection is not " },
		{ "clients-waiting", client_unread, 0, NULL,
			"medium/high: clients wait: what 1 client sent is not read, for at least "
			"25 s" },
		{ "clients-waiting", client_unread, 1, NULL,
			"=fine: the process serves no connections\n" },
		{ "clients-waiting", unread_in_epoll, FDS_MEMBER_EDGE | 1, NULL,
			"medium/high: clients wait: what 1 client sent is not read, for at least "
			"25 s; its epoll is edge-triggered: what a read has left unread wakes it "
			"only when more comes|<after each event of an edge-triggered epoll read" },
		{ "clients-waiting", unread_in_epoll, 1, NULL, "medium/high: |!edge|<sooth stack" },
		{ "clients-waiting", unread_in_epoll, 0, NULL, "medium/high: |!edge|<sooth stack" },
		{ "clients-waiting", sockets_are_hidden, HIDDEN, NULL, "blind: " },
		{ "clients-waiting", no_sockets_read, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- connect-failing --- */

static const struct sockets_socket unanswered = { .state = SOCKETS_SYN_SENT };

/* The same socket, without an answer at both samples. */
static void hangs_for(double seconds)
{
	is_there();
	socket_at(0, unanswered);
	sockets_read(0, 1, SOOTH_STATE_VALUE);
	socket_at(seconds, unanswered);
	sockets_read(seconds, 1, SOOTH_STATE_VALUE);
}

static void hangs_with(double retransmits)
{
	struct sockets_socket last = unanswered;

	last.retransmits_waiting = (uint32_t)retransmits;
	is_there();
	sockets_read(0, 0, SOOTH_STATE_VALUE);
	socket_at(LAST_S, last);
	sockets_read(LAST_S, 1, SOOTH_STATE_VALUE);
}

/* Another socket for the same peer. */
static void hangs_again(double retransmits)
{
	struct sockets_socket last = unanswered;

	last.retransmits_waiting = (uint32_t)retransmits;
	last.inode = 2;
	is_there();
	connection(unanswered, last);
}

/* Beside one to the same peer, in that state. */
static void hangs_beside(double state)
{
	struct sockets_socket other = { .state = (uint8_t)state, .inode = 7 };

	hangs_for(LAST_S);
	socket_at(LAST_S + 0.1, unanswered);
	socket_at(LAST_S + 0.1, other);
	sockets_read(LAST_S + 0.1, 2, SOOTH_STATE_VALUE);
}

static void hangs_again_beside(double state)
{
	struct sockets_socket other = { .state = (uint8_t)state, .inode = 7 };

	hangs_again(1);
	other.retransmits_waiting = 1;
	socket_at(LAST_S + 0.1,
		(struct sockets_socket){
			.state = SOCKETS_SYN_SENT, .inode = 2, .retransmits_waiting = 1 });
	socket_at(LAST_S + 0.1, other);
	sockets_read(LAST_S + 0.1, 2, SOOTH_STATE_VALUE);
}

static void test_connect_failing(void **state)
{
	static const struct check_case cases[] = {
		{ "connect-failing", hangs_for, 2, NULL,
			"=medium/high: cannot connect to 10.0.0.1:443 (HTTPS): no answer for at "
			"least 2 s {connection 10.0.0.1:443} [connections without an answer "
			"(SYN_SENT): 1] [time without an answer, at least: 2.00s] [descriptor: "
			"0] (unseen: how often the process retries: its calls were not "
			"observed) <check that 10.0.0.1:443 is up and no firewall drops the "
			"packets (if it is on this host: in ss -tln, a Recv-Q above Send-Q "
			"means that its accept queue is full)>\n" },
		{ "connect-failing", hangs_for, 1.9, NULL, "blind: this check needs the probe " },
		{ "connect-failing", hangs_for, 1.9, "connect-failing.min-wait=1s",
			"medium/high: " },
		{ "connect-failing", hangs_with, 2, NULL,
			"medium/high: |at least 2 s|[SYN retransmissions: 2]" },
		{ "connect-failing", hangs_with, 1, NULL, "blind: " },
		{ "connect-failing", hangs_again, 1, NULL,
			"medium/high: |at least 5 s|[retried: an earlier connection " },
		{ "connect-failing", hangs_again, 0, NULL, "blind: " },
		{ "connect-failing", hangs_beside, SOCKETS_SYN_SENT, NULL,
			"medium/high: |(SYN_SENT): 2]" },
		{ "connect-failing", hangs_beside, SOCKETS_ESTABLISHED, NULL,
			"medium/high: |(SYN_SENT): 1]" },
		{ "connect-failing", hangs_again_beside, SOCKETS_SYN_SENT, NULL, "medium/high: " },
		{ "connect-failing", hangs_again_beside, SOCKETS_ESTABLISHED, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- receive-drops --- */

static void drops_with(struct sockets_socket first, struct sockets_socket last)
{
	is_there();
	udp_at(0, first);
	sockets_read(0, 1, SOOTH_STATE_VALUE);
	udp_at(LAST_S, last);
	sockets_read(LAST_S, 1, SOOTH_STATE_VALUE);
}

static const struct sockets_socket full_queue = {
	.state = SOCKETS_CLOSE, .receive_queue_bytes = 900, .dropped = 1000
};

static void drops(double count)
{
	struct sockets_socket last = full_queue;

	last.dropped += (uint64_t)count;
	drops_with(full_queue, last);
}

static void refuses(double count)
{
	struct sockets_socket first = full_queue, last = full_queue;

	first.receive_queue_bytes = last.receive_queue_bytes = 0;
	last.dropped += (uint64_t)count;
	drops_with(first, last);
}

static void drops_unmeasured(double state)
{
	struct sockets_socket last = full_queue;

	last.dropped += 1000;
	last.dropped_state = (uint8_t)state;
	drops_with(full_queue, last);
}

static void turns_away(double count)
{
	struct sockets_socket first = full_queue, last;

	first.state = SOCKETS_LISTEN;
	last = first;
	last.dropped += (uint64_t)count;
	is_there();
	connection(first, last);
}

static void turns_itself_away(double port)
{
	struct sockets_socket first = full_queue, last, own = { .inode = 2 };

	first.state = SOCKETS_LISTEN;
	last = first;
	last.dropped += 500;
	own.peer_port = (uint16_t)port;
	is_there();
	socket_at(0, first);
	sockets_read(0, 1, SOOTH_STATE_VALUE);
	socket_at(LAST_S, last);
	socket_at(LAST_S, own);
	sockets_read(LAST_S, 2, SOOTH_STATE_VALUE);
}

static void test_receive_drops(void **state)
{
	static const char set[] = "receive-drops.min-rate=0.01";
	static const struct check_case cases[] = {
		{ "receive-drops", drops, 500, NULL,
			"medium/high: loses packets|[dropped: 500|[received and not read: 900" },
		{ "receive-drops", drops, 5, set, "medium/high: " },
		{ "receive-drops", drops, 4, set, "fine: 4 packets dropped" },
		{ "receive-drops", drops, 0, NULL, "fine: its sockets drop nothing" },
		{ "receive-drops", refuses, 500, NULL, "fine: " },
		{ "receive-drops", drops_unmeasured, HIDDEN, NULL, "blind: " },
		{ "receive-drops", turns_itself_away, 40000, NULL, "fine: " },
		{ "receive-drops", turns_itself_away, 40001, NULL, "medium/high: " },
		{ "receive-drops", turns_away, 500, NULL, "medium/high: turns clients away" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- shutdown-held --- */

/* Connections without a listener on port 40000, the last of them on another. */
static void keeps_on_port(unsigned count, uint16_t last_port, uint8_t side, double quiet_s)
{
	is_there();
	for (uint32_t i = 1; i <= count; i++)
		socket_at(LAST_S, (struct sockets_socket){
					  .inode = i,
					  .side = side,
					  .local_port = i == count ? last_port : 40000,
					  .peer_port = (uint16_t)(50000 + i),
					  .sent_ago_ns = (uint64_t)(quiet_s * (double)NS_PER_S),
					  .received_ago_ns = 60 * NS_PER_S,
				  });
	sockets_read(LAST_S, count, SOOTH_STATE_VALUE);
}

static void keeps_count(double count)
{
	keeps_on_port((unsigned)count, 40000, SOCKETS_SIDE_MADE, 10);
}

static void keeps_on_two_ports(double port)
{
	keeps_on_port(2, (uint16_t)port, SOCKETS_SIDE_MADE, 10);
}

static void keeps_of_side(double side)
{
	keeps_on_port(3, 40000, (uint8_t)side, 10);
}

static void keeps_quiet_for(double seconds)
{
	keeps_on_port(3, 40000, SOCKETS_SIDE_MADE, seconds);
}

/* One connection that the peer opened and sent nothing on for 10 s, of a process that catches these
 * signals. */
static void keeps_one(uint32_t caught, uint8_t opener, double silent_s)
{
	struct waits_signals signals = {
		.record = head_of(LAST_S, PID, WAITS_SIGNALS), .node_pid = PID, .caught = caught
	};
	struct waits_snapshot end = { .record = head_of(LAST_S, PID, WAITS_SNAPSHOT) };

	is_there();
	socket_at(LAST_S, (struct sockets_socket){
				  .inode = 1,
				  .side = SOCKETS_SIDE_MADE,
				  .opener = opener,
				  .local_port = 40000,
				  .peer_port = 50000,
				  .received_ago_ns = (uint64_t)(silent_s * (double)NS_PER_S),
			  });
	sockets_read(LAST_S, 1, SOOTH_STATE_VALUE);
	RECORD_APPEND(&records, &signals, NULL, 0);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void keeps_one_and_catches(double signal)
{
	keeps_one(1u << ((int)signal - 1), SOCKETS_OPENER_PEER, 10);
}

static void keeps_one_opened_by(double opener)
{
	keeps_one(1u << (SIGTERM - 1), (uint8_t)opener, 10);
}

static void keeps_one_silent_for(double seconds)
{
	keeps_one(1u << (SIGTERM - 1), SOCKETS_OPENER_PEER, seconds);
}

static void test_shutdown_held(void **state)
{
	static const struct check_case cases[] = {
		{ "shutdown-held", keeps_count, 2, NULL,
			"medium/medium: it no longer listens on 10.0.0.9:40000 and keeps 2 "
			"connections of clients there: it is about to end|(no data for 10 s)" },
		{ "shutdown-held", keeps_count, 1, NULL, "fine: it serves no port" },
		{ "shutdown-held", keeps_on_two_ports, 40000, NULL, "medium/" },
		{ "shutdown-held", keeps_on_two_ports, 40001, NULL, "fine: it serves no port" },
		{ "shutdown-held", keeps_of_side, SOCKETS_SIDE_ACCEPTED, NULL, "fine: " },
		{ "shutdown-held", keeps_quiet_for, 4, NULL, "medium/" },
		{ "shutdown-held", keeps_quiet_for, 3.9, NULL, "fine: its last clients" },
		{ "shutdown-held", keeps_one_and_catches, SIGTERM, NULL,
			"low/medium: it no longer listens on 10.0.0.9:40000 and keeps one "
			"connection of a client there: it is probably about to end" },
		{ "shutdown-held", keeps_one_and_catches, SIGINT, NULL, "fine: " },
		{ "shutdown-held", keeps_one_opened_by, SOCKETS_OPENER_PEER, NULL, "low/" },
		{ "shutdown-held", keeps_one_opened_by, SOCKETS_OPENER_SELF, NULL, "fine: " },
		{ "shutdown-held", keeps_one_opened_by, SOCKETS_OPENER_UNKNOWN, NULL, "fine: " },
		{ "shutdown-held", keeps_one_silent_for, 2, NULL, "low/" },
		{ "shutdown-held", keeps_one_silent_for, 1.9, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shutdown_held),
		cmocka_unit_test(test_connect_failing),
		cmocka_unit_test(test_close_wait),
		cmocka_unit_test(test_stream_stalled),
		cmocka_unit_test(test_clients_waiting),
		cmocka_unit_test(test_receive_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
