CREATE TABLE IF NOT EXISTS phase_span
(
	`host` String, -- name of the host
	`boot_id` String, -- id of the boot: times and processes are of one boot
	`time_ns` UInt64, -- time of the event or sample (CLOCK_MONOTONIC)
	`pid` UInt32, -- process id in the pid namespace of sooth
	`start_ticks` UInt64, -- start of the process, in clock ticks after boot; unique together with the pid
	`tid` Nullable(UInt32), -- thread id; empty: the row is about the whole process
	`cpu` Nullable(UInt16), -- number of the CPU on which the event happened
	`start_ns` UInt64, -- start of the span (CLOCK_MONOTONIC)
	`end_utc_ns` UInt64, -- end of the span, ns since 1970
	`state` String, -- what the session was doing
	`source` String, -- what the state rests on
	`confidence` String, -- confidence in the state
	`agent` String, -- id of the agent
	`session` String, -- id of the session
	`project` String, -- project of the session
	`name` String, -- name of the tool, MCP server, or question
	`tool_command` String, -- command that the tool ran, secrets masked
	`tool_pid` Nullable(UInt32), -- process id of that command
	`cpu_ns` Nullable(UInt64), -- CPU time of all processes of the session
	`own_cpu_ns` UInt64, -- CPU time of the main process
	`rss_bytes` UInt64, -- highest resident memory of all processes of the session together
	`written_bytes` Nullable(UInt64), -- bytes written by the session
	`read_bytes` Nullable(UInt64), -- bytes read by the session
	`io_calls` Nullable(UInt64), -- calls that read or wrote
	`turns` Nullable(UInt32), -- answers of the model, as the agent itself writes them
	`input_tokens` Nullable(UInt64), -- tokens sent to the model, the same way
	`output_tokens` Nullable(UInt64), -- tokens that the model answered, the same way
	`context_tokens` Nullable(UInt64), -- tokens of context in use at the end
	`model` String, -- model, the same way
	`samples` UInt32, -- number of samples that the span rests on
	`phase_flags` UInt8, -- 1: the phase begins with it; 2: the process ended with it
	`end` Nullable(String), -- how the process ended
	`version` String, -- version of the agent; empty: unknown
	`trace_parent` String, -- context of the agent's own trace (W3C): given to its tool, else to itself; empty: none
	`not_measured` String -- fields without a complete value, and the reason: JSON
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(toDateTime(intDiv(end_utc_ns, 1000000000), 'UTC'))
ORDER BY (host, boot_id, start_ticks, pid, time_ns, start_ns);

CREATE TABLE IF NOT EXISTS answer_span
(
	`host` String, -- name of the host
	`boot_id` String, -- id of the boot: times and processes are of one boot
	`time_ns` UInt64, -- time of the event or sample (CLOCK_MONOTONIC)
	`pid` UInt32, -- process id in the pid namespace of sooth
	`start_ticks` UInt64, -- start of the process, in clock ticks after boot; unique together with the pid
	`tid` Nullable(UInt32), -- thread id; empty: the row is about the whole process
	`cpu` Nullable(UInt16), -- number of the CPU on which the event happened
	`start_ns` UInt64, -- start of the span (CLOCK_MONOTONIC)
	`start_utc_ns` UInt64, -- start of the span, ns since 1970
	`end_utc_ns` UInt64, -- end of the span, ns since 1970
	`subject_pid` UInt32, -- process with the problem; 0: the host
	`subject_start_ticks` UInt64, -- start of that process
	`is_cleared` UInt8, -- the problem was over at the end of the span
	`id` String, -- id of the finding
	`text` String, -- the problem, as the first line of a diagnosis
	`severity` String, -- severity of the finding
	`confidence` String, -- confidence in the finding
	`remedy` String, -- what to do about it
	`agent` String, -- id of the agent
	`session` String, -- id of the session
	`project` String, -- project of the session
	`key` String, -- the same for all spans of one problem
	`subject_name` String, -- name of the MCP server, or of the process, with the problem; empty: the host
	`not_measured` String -- fields without a complete value, and the reason: JSON
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(toDateTime(intDiv(end_utc_ns, 1000000000), 'UTC'))
ORDER BY (host, boot_id, key, time_ns);
