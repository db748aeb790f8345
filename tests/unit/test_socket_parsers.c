/* SPDX-License-Identifier: BSD-2-Clause */
/* Records made of the kernel's answers and tables, member by member. */
#include "support.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/units.h"
#include "os/linux/sock_diag/socket_messages.h"
#include "os/linux/sockets/socket_record.h"
#include "os/linux/sockets/socket_tables.h"
#include <sooth/field.h>

#define SEQUENCE 77

struct taken {
	struct socket_fact facts[8];
	char names[8][160];
	size_t count;
};

static void take(void *user, const struct socket_fact *f)
{
	struct taken *t = user;

	assert_true(t->count < 8);
	if (f->name.size)
		memcpy(t->names[t->count], f->name.data, f->name.size);
	t->facts[t->count++] = *f;
}

/* --- messages --- */

static struct buffer bytes;

static void add_attribute(unsigned type, const void *data, size_t size)
{
	struct nlattr a = { .nla_len = (uint16_t)(sizeof(a) + size), .nla_type = (uint16_t)type };

	buffer_append(&bytes, &a, sizeof(a));
	buffer_append(&bytes, data, size);
	buffer_zeros(&bytes, NLA_ALIGN(size) - size);
}

static size_t begin_message(unsigned type, unsigned flags)
{
	struct nlmsghdr h = {
		.nlmsg_type = (uint16_t)type, .nlmsg_flags = (uint16_t)flags, .nlmsg_seq = SEQUENCE
	};
	size_t at = bytes.size;

	buffer_append(&bytes, &h, sizeof(h));
	return at;
}

static void end_message(size_t at)
{
	uint32_t size = (uint32_t)(bytes.size - at);

	memcpy(bytes.data + at, &size, sizeof(size));
}

static void add_code(unsigned type, int32_t code)
{
	size_t at = begin_message(type, NLM_F_MULTI);

	buffer_append(&bytes, &code, sizeof(code));
	end_message(at);
}

static void add_tcp(uint32_t inode, uint8_t state, const struct tcp_info *info, size_t info_size)
{
	struct inet_diag_msg m = { .idiag_family = AF_INET,
		.idiag_state = state,
		.id = { .idiag_sport = htons(8080), .idiag_dport = htons(443) },
		.idiag_rqueue = 5,
		.idiag_wqueue = 7,
		.idiag_inode = inode };
	size_t at = begin_message(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI);

	m.id.idiag_src[0] = htonl(INADDR_LOOPBACK);
	m.id.idiag_dst[0] = htonl(0x0a000001);
	buffer_append(&bytes, &m, sizeof(m));
	if (info_size)
		add_attribute(INET_DIAG_INFO, info, info_size);
	end_message(at);
}

static int answer_of(struct socket_answer *a, struct taken *t, int family, int protocol)
{
	static struct socket_request q;
	int status;

	q = (struct socket_request){ family, protocol, true };
	*a = (struct socket_answer){ .request = &q, .sequence = SEQUENCE };
	*t = (struct taken){ 0 };
	status = socket_messages_parse(a, bytes.data, bytes.size, take, t);
	buffer_reset(&bytes);
	return status;
}

static void test_tcp(void **state)
{
	const struct socket_record_way way = { .needs_detail = true, .netlink = -1 };
	struct tcp_info info = { .tcpi_rtt = 1500,
		.tcpi_rttvar = 20,
		.tcpi_total_retrans = 3,
		.tcpi_retransmits = 2,
		.tcpi_last_data_sent = 100,
		.tcpi_last_data_recv = 200,
		.tcpi_bytes_acked = 11,
		.tcpi_bytes_received = 12,
		.tcpi_bytes_sent = 13 };
	struct sockets_socket r = { 0 };
	struct socket_texts texts;
	struct socket_answer a;
	struct taken t;

	(void)state;
	add_tcp(4711, SOCKETS_ESTABLISHED, &info, sizeof(info));
	add_code(NLMSG_DONE, 0);
	assert_int_equal(answer_of(&a, &t, AF_INET, IPPROTO_TCP), 0);
	assert_true(a.is_done);
	assert_int_equal(t.count, 1);
	socket_record_fill(&r, &texts, &t.facts[0], &way);
	assert_int_equal(t.facts[0].inode, 4711);
	assert_int_equal(r.state, SOCKETS_ESTABLISHED);
	assert_int_equal(r.local_port, 8080);
	assert_int_equal(r.peer_port, 443);
	assert_memory_equal(texts.local, "127.0.0.1", texts.local_size);
	assert_memory_equal(texts.peer, "10.0.0.1", texts.peer_size);
	assert_int_equal(r.receive_queue_bytes, 5);
	assert_int_equal(r.send_queue_bytes, 7);
	assert_int_equal(r.rtt_ns, 1500 * NS_PER_US);
	assert_int_equal(r.rtt_variance_ns, 20 * NS_PER_US);
	assert_int_equal(r.retransmits, 3);
	assert_int_equal(r.retransmits_waiting, 2);
	assert_int_equal(r.sent_ago_ns, 100 * NS_PER_MS);
	assert_int_equal(r.received_ago_ns, 200 * NS_PER_MS);
	assert_int_equal(r.sent_bytes, 11);
	assert_int_equal(r.received_bytes, 12);
	assert_int_equal(r.sent_state | r.received_state | r.rtt_state | r.bytes_state, 0);
}

/* Kernels tell as much of struct tcp_info as they know. */
static void test_short_tcp(void **state)
{
	const struct socket_record_way way = { .needs_detail = true, .netlink = -1 };
	struct tcp_info info = { .tcpi_rtt = 1500, .tcpi_total_retrans = 3 };
	struct sockets_socket r = { 0 };
	struct socket_texts texts;
	struct socket_answer a;
	struct taken t;

	(void)state;
	add_tcp(1, SOCKETS_ESTABLISHED, &info, offsetof(struct tcp_info, tcpi_pacing_rate));
	add_tcp(2, SOCKETS_ESTABLISHED, &info, offsetof(struct tcp_info, tcpi_bytes_sent));
	add_tcp(3, SOCKETS_ESTABLISHED, &info, 8);
	add_tcp(4, SOCKETS_LISTEN, &info, sizeof(info));
	assert_int_equal(answer_of(&a, &t, AF_INET, IPPROTO_TCP), 0);
	assert_false(a.is_done);
	assert_int_equal(t.count, 4);
	socket_record_fill(&r, &texts, &t.facts[0], &way);
	assert_int_equal(r.retransmits_state, SOOTH_STATE_VALUE);
	assert_int_equal(r.sent_state, SOOTH_STATE_VALUE); /* nobody knows that nothing was */
	assert_int_equal(r.bytes_state, SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED));
	socket_record_fill(&r, &texts, &t.facts[1], &way);
	assert_int_equal(r.bytes_state, SOOTH_STATE_VALUE);
	assert_int_equal(r.received_state, SOOTH_STATE_ABSENT);
	assert_int_equal(r.sent_state, SOOTH_STATE_VALUE);
	socket_record_fill(&r, &texts, &t.facts[2], &way);
	assert_int_equal(r.rtt_state, SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED));
	assert_int_equal(r.retransmits_state, SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED));
	socket_record_fill(&r, &texts, &t.facts[3], &way);
	assert_int_equal(r.rtt_state, SOOTH_STATE_ABSENT);
	assert_int_equal(r.sent_state, SOOTH_STATE_ABSENT);
}

/* The drops of a socket are the ninth number of its memory. */
static void test_dropped(void **state)
{
	static const char line[] =
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
		"timeout inode ref pointer drops\n"
		" 1234: 0100007F:14E9 00000000:0000 07 00000000:00003C00 00:00000000 00000000     0   "
		"     0 77 2 0000000000000000 6967\n";
	struct inet_diag_msg m = { .idiag_family = AF_INET, .idiag_state = SOCKETS_CLOSE };
	const struct socket_record_way way = { .needs_detail = true, .netlink = -1 };
	const struct socket_table udp = { "net/udp", AF_INET, IPPROTO_UDP };
	uint32_t memory[] = { 1, 2, 3, 4, 5, 6, 7, 8, 41 };
	struct taken t = { 0 };
	struct sockets_socket r = { 0 };
	struct socket_texts texts;
	struct socket_answer a;
	size_t at;

	(void)state;
	for (size_t count = 9; count >= 8; count--) {
		at = begin_message(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI);
		buffer_append(&bytes, &m, sizeof(m));
		add_attribute(INET_DIAG_SKMEMINFO, memory, count * sizeof(memory[0]));
		end_message(at);
	}
	assert_int_equal(answer_of(&a, &t, AF_INET, IPPROTO_UDP), 0);
	socket_record_fill(&r, &texts, &t.facts[0], &way);
	assert_int_equal(r.dropped_state, SOOTH_STATE_VALUE);
	assert_int_equal(r.dropped, 41);
	socket_record_fill(&r, &texts, &t.facts[1], &way);
	assert_int_equal(r.dropped_state, SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED));
	t.count = 0;
	socket_tables_parse(&udp, line, strlen(line), true, take, &t);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.facts[0].inode, 77);
	assert_int_equal(t.facts[0].receive_queue, 0x3c00);
	assert_true(t.facts[0].has_dropped);
	assert_int_equal(t.facts[0].dropped, 6967);
}

static void test_not_requested(void **state)
{
	const struct socket_record_way way = { .netlink = -1 };
	struct sockets_socket r = { 0 };
	struct socket_texts texts;
	struct socket_answer a;
	struct taken t;

	(void)state;
	add_tcp(1, SOCKETS_ESTABLISHED, NULL, 0);
	assert_int_equal(answer_of(&a, &t, AF_INET, IPPROTO_TCP), 0);
	socket_record_fill(&r, &texts, &t.facts[0], &way);
	assert_int_equal(r.rtt_state, SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED));
	assert_int_equal(r.sent_state, SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED));
	assert_int_equal(r.receive_queue_state, SOOTH_STATE_VALUE);
}

static void test_unix(void **state)
{
	struct unix_diag_msg m = { .udiag_family = AF_UNIX,
		.udiag_type = SOCK_STREAM,
		.udiag_state = SOCKETS_LISTEN,
		.udiag_ino = 99 };
	const struct socket_record_way way = { .netlink = -1 };
	struct unix_diag_rqlen queue = { 1, 7 };
	struct sockets_socket r = { 0 };
	struct socket_texts texts;
	uint32_t peer = 98;
	struct socket_answer a;
	struct taken t;
	size_t at;

	(void)state;
	at = begin_message(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI | NLM_F_DUMP_INTR);
	buffer_append(&bytes, &m, sizeof(m));
	add_attribute(UNIX_DIAG_NAME, "\0hidden", 7);
	add_attribute(UNIX_DIAG_PEER, &peer, sizeof(peer));
	add_attribute(UNIX_DIAG_RQLEN, &queue, sizeof(queue));
	end_message(at);
	assert_int_equal(answer_of(&a, &t, AF_UNIX, 0), 0);
	assert_true(a.is_interrupted);
	t.facts[0].name = span_of(t.names[0], t.facts[0].name.size);
	socket_record_fill(&r, &texts, &t.facts[0], &way);
	assert_int_equal(r.peer_inode, 98);
	assert_int_equal(r.receive_queue_bytes, 1);
	assert_int_equal(r.send_queue_bytes, 7);
	assert_int_equal(texts.local_size, 7);
	assert_memory_equal(texts.local, "@hidden", 7);
	assert_string_equal(texts.protocol, "stream");
}

static void test_refusals(void **state)
{
	struct socket_answer a;
	struct taken t;

	(void)state;
	add_code(NLMSG_ERROR, -ENOENT);
	assert_int_equal(answer_of(&a, &t, AF_INET, IPPROTO_TCP), -ENOENT);
	add_code(NLMSG_DONE, -ENOBUFS);
	assert_int_equal(answer_of(&a, &t, AF_INET, IPPROTO_TCP), -ENOBUFS);
	/* Longer than what came, or shorter than a header. */
	add_tcp(1, SOCKETS_ESTABLISHED, NULL, 0);
	bytes.data[0]++;
	assert_int_equal(answer_of(&a, &t, AF_INET, IPPROTO_TCP), -EBADMSG);
	add_tcp(1, SOCKETS_ESTABLISHED, NULL, 0);
	bytes.data[0] = 3;
	assert_int_equal(answer_of(&a, &t, AF_INET, IPPROTO_TCP), -EBADMSG);
	/* A message left of another answer. */
	add_tcp(1, SOCKETS_ESTABLISHED, NULL, 0);
	bytes.data[8]++;
	assert_int_equal(answer_of(&a, &t, AF_INET, IPPROTO_TCP), 0);
	assert_int_equal(t.count, 0);
}

/* --- tables --- */

static void take_table(struct taken *t, const char *file, int family, const char *text)
{
	struct socket_table table = { file, family, IPPROTO_TCP };

	*t = (struct taken){ 0 };
	socket_tables_parse(&table, text, strlen(text), true, take, t);
}

static void test_inet_tables(void **state)
{
	struct taken t;

	(void)state;
	take_table(&t, "net/tcp", AF_INET,
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid\n"
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0 "
		" "
		"      0 101222 1 0000000000000000 100 0 0 10 0\n"
		"   1: 0100007F:B8C6 0200000A:01BB 01 00000064:00000005 01:00000014 00000003     0 "
		" "
		"      0 101223 1 0000000000000000 20 4 30 10 -1\n");
	assert_int_equal(t.count, 2);
	assert_int_equal(t.facts[0].state, SOCKETS_LISTEN);
	assert_int_equal(t.facts[0].receive_queue, 2);
	assert_false(t.facts[0].has_send_queue);
	assert_int_equal(t.facts[1].local_port, 0xb8c6);
	assert_int_equal(t.facts[1].peer_port, 443);
	assert_memory_equal(t.facts[1].local, "\x7f\0\0\1", 4);
	assert_memory_equal(t.facts[1].peer, "\x0a\0\0\2", 4);
	assert_int_equal(t.facts[1].send_queue, 100);
	assert_int_equal(t.facts[1].receive_queue, 5);
	assert_int_equal(t.facts[1].tcp.retransmits_waiting, 3);
	assert_int_equal(t.facts[1].inode, 101223);
	take_table(&t, "net/tcp6", AF_INET6,
		"   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 "
		"0A "
		"00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0\n");
	assert_int_equal(t.count, 1);
	assert_int_equal(t.facts[0].local[15], 1);
	assert_int_equal(t.facts[0].local_port, 80);
}

static void test_unix_table(void **state)
{
	struct taken t;

	(void)state;
	take_table(&t, "net/unix", AF_UNIX,
		"Num       RefCount Protocol Flags    Type St Inode Path\n"
		"0000000000000000: 00000002 00000000 00010000 0001 01  1586 /run/with blank\n"
		"0000000000000000: 00000003 00000000 00000000 0005 03 68289\n"
		"0000000000000000: 00000002 00000000 00000000 0002 01   100 @two\nlines\n");
	assert_int_equal(t.count, 3);
	assert_int_equal(t.facts[0].state, SOCKETS_LISTEN);
	assert_string_equal(t.names[0], "/run/with blank");
	assert_int_equal(t.facts[1].state, SOCKETS_ESTABLISHED);
	assert_int_equal(t.facts[1].type, SOCK_SEQPACKET);
	assert_int_equal(t.facts[1].inode, 68289);
	assert_int_equal(t.facts[1].name.size, 0);
	assert_int_equal(t.facts[2].type, SOCK_DGRAM);
	assert_string_equal(t.names[2], "@two\nlines");
}

static void test_other_tables(void **state)
{
	struct taken t;

	(void)state;
	take_table(&t, "net/netlink", AF_NETLINK,
		"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks Drops "
		"Inode\n"
		"0000000000000000 16  7932       00000000 768      0        0     2     0     "
		"101241\n");
	assert_int_equal(t.count, 1);
	assert_int_equal(t.facts[0].protocol, NETLINK_GENERIC);
	assert_int_equal(t.facts[0].local_id, 7932);
	assert_int_equal(t.facts[0].receive_queue, 768);
	assert_int_equal(t.facts[0].inode, 101241);
	take_table(&t, "net/packet", AF_PACKET,
		"sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n"
		"0000000000000000 3      3    0003   2     1 64     0      101242\n");
	assert_int_equal(t.count, 1);
	assert_int_equal(t.facts[0].type, SOCK_RAW);
	assert_int_equal(t.facts[0].interface, 2);
	assert_int_equal(t.facts[0].receive_queue, 64);
	assert_int_equal(t.facts[0].inode, 101242);
}

static int end_of_all(void **state)
{
	(void)state;
	buffer_fini(&bytes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_short_tcp),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_not_requested),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_inet_tables),
		cmocka_unit_test(test_unix_table),
		cmocka_unit_test(test_other_tables),
	};

	return cmocka_run_group_tests(tests, NULL, end_of_all);
}
