-- Which commands of tools take the most time: calls, and their time.
SELECT tool_command, countIf(bitAnd(phase_flags, 1)) AS calls, round(sum(time_ns - start_ns) / 1e9, 3) AS seconds
FROM phase_span
WHERE state = 'runs_tool'
GROUP BY tool_command
ORDER BY seconds DESC, tool_command
LIMIT 20
