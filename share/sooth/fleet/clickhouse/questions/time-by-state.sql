-- Where the time of sessions goes: hours in each state, by agent.
SELECT agent, state, round(sum(time_ns - start_ns) / 3.6e12, 6) AS hours
FROM phase_span
GROUP BY agent, state
ORDER BY agent, hours DESC
