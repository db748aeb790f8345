-- Which version leaks: growth of resident memory per hour of a session, by version of the agent.
-- The slope of a line through the spans in which no tool ran; sessions of at least half an hour.
SELECT agent, version, count() AS sessions, round(avg(slope), 3) + 0 AS mb_per_hour
FROM
(
	SELECT agent, version, covarPop(time_ns / 3.6e12, rss_bytes / 1e6) / varPop(time_ns / 3.6e12) AS slope
	FROM phase_span
	WHERE state != 'runs_tool'
	GROUP BY host, boot_id, start_ticks, pid, agent, version
	HAVING max(time_ns) - min(time_ns) >= 1800e9
)
GROUP BY agent, version
ORDER BY mb_per_hour DESC, agent, version
