-- On which hosts answers of the model stall: stalls, and the time lost in them.
SELECT host, uniqExact(boot_id, key) AS stalls, round(sum(time_ns - start_ns) / 1e9, 3) AS seconds
FROM answer_span
WHERE id = 'stream-stalled'
GROUP BY host
ORDER BY seconds DESC, host
LIMIT 20
