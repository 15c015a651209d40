-- Prints exact totals on one line: requests, microseconds, bytes, errors.
done = function(summary)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  print(string.format("REPORT %d %d %d %d", summary.requests, summary.duration, summary.bytes, errors))
end
