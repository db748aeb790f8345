-- How sessions end: ended sessions, and those that were killed because memory ran out, by version.
SELECT agent, version, count() AS ended, countIf(`end` LIKE '%out of memory%') AS out_of_memory
FROM phase_span
WHERE bitAnd(phase_flags, 2)
GROUP BY agent, version
ORDER BY agent, version
