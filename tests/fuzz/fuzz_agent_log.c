/* SPDX-License-Identifier: BSD-2-Clause */
/* Session files and logs of agents: whatever stands there, what is told are short plain words. The
 * first byte says how the log is written, and whether its begin was cut off. */
#include <string.h>

#include "base/units.h"
#include "fuzz.h"
#include "os/linux/agent_logs/agent_opencode.h"
#include "os/agent_logs/agent_repeats.h"
#include "os/agent_logs/agent_tokens.h"
#include "probes/proc.h"

static void check_word(const char *word, size_t room)
{
	size_t size = strnlen(word, room);

	CHECK(size < room);
	CHECK(!size || agent_word_is_plain(span_of(word, size), room - 1));
	for (size_t i = 0; i < size; i++)
		CHECK(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-",
			word[i]));
}

static void check_turn(const struct agent_turn *turn)
{
	CHECK(turn->of > PROC_TURN_UNKNOWN && turn->of < PROC_TURNS);
	check_word(turn->call, sizeof(turn->call));
	check_word(turn->repeated, sizeof(turn->repeated));
	CHECK(turn->repeated_calls <= AGENT_PERIOD_MAX);
	CHECK(turn->of == PROC_TURN_TOOL || turn->of == PROC_TURN_PERMISSION || !turn->call[0]);
}

/* Whole lines alone are taken, and in two parts the same is counted. */
static void check_tokens(enum agent_log kind, const uint8_t *data, size_t size)
{
	struct agent_tokens whole = { 0 }, parts = { 0 };
	size_t taken = agent_tokens_read(&whole, kind, data, size);
	size_t first = agent_tokens_read(&parts, kind, data, size / 2);

	CHECK(taken <= size && (!taken || data[taken - 1] == '\n'));
	CHECK(agent_tokens_read(&parts, kind, data + first, size - first) + first == taken);
	CHECK(whole.turns == parts.turns && whole.input == parts.input);
	CHECK(whole.output == parts.output && whole.context == parts.context);
	CHECK(whole.has_any || (!whole.turns && !whole.input && !whole.output));
	check_word(whole.model, sizeof(whole.model));
	check_word(whole.last_id, sizeof(whole.last_id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct agent_files keys = { .session_key = "sessionId",
		.status_key = "status",
		.start_key = "procStart",
		.version_key = "version",
		.changed_key = "statusUpdatedAt",
		.waiting_key = "waitingFor" };
	struct agent_session_info info;
	struct agent_tool tool;
	struct agent_turn turn;

	if (agent_session_info_parse(&info, &keys, data, size))
		CHECK(info.session[0]);
	check_word(info.session, sizeof(info.session));
	check_word(info.status, sizeof(info.status));
	check_word(info.version, sizeof(info.version));
	if (size && agent_turn_read(&turn, data[0] % (AGENT_LOG_GEMINI + 1u), data + 1, size - 1,
			    data[0] & 0x40))
		check_turn(&turn);
	if (size && agent_opencode_read(&turn, data + 1, size - 1, data[0] & 0x40, NS_PER_S))
		check_turn(&turn);
	if (size)
		check_tokens(data[0] % (AGENT_LOG_GEMINI + 1u), data + 1, size - 1);
	if (!size || !agent_log_last_tool(&tool, data[0] % (AGENT_LOG_GEMINI + 1u), data + 1,
			     size - 1, data[0] & 0x40))
		return 0;
	CHECK(tool.name[0]);
	check_word(tool.name, sizeof(tool.name));
	/* What was told stands there. */
	CHECK(!strcmp(tool.name, "local_shell") ||
		span_contains(span_of((const char *)data, size), "name"));
	return 0;
}
