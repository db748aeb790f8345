-- Hosts whose history ended: no row in the day before the newest row of all, and the time of the last one.
SELECT host, intDiv(max(end_utc_ns), 1000000000) AS last_utc
FROM phase_span
GROUP BY host
HAVING last_utc < (SELECT intDiv(max(end_utc_ns), 1000000000) - 86400 FROM phase_span)
ORDER BY last_utc, host
