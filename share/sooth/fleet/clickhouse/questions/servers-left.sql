-- Which MCP server is left behind most: servers without a client that ran on, and for how long.
SELECT subject_name AS server, uniqExact(host, boot_id, key) AS times, round(sum(time_ns - start_ns) / 3.6e12, 6) AS hours
FROM answer_span
WHERE id = 'mcp-abandoned'
GROUP BY server
ORDER BY times DESC, server
