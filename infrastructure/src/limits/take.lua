-- Takes one from every bucket, or from none. A key holds the microsecond, by this server's clock, at which its bucket is
-- full, and ends then.
-- KEYS: the buckets. ARGV: what one takes and what a full bucket holds, both in microseconds.
-- Answer: 1 where all gave, else 0; then for each bucket in how many microseconds it is full.
local interval, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local given, full_in = 1, {}
for i, full_at in ipairs(redis.call('MGET', unpack(KEYS))) do
  -- More than a bucket holds is left from a clock that was put back, or from another limit.
  full_in[i] = math.min(math.max((tonumber(full_at) or now) - now, 0), capacity)
  if full_in[i] + interval > capacity then given = 0 end
end
if given == 1 then
  for i, key in ipairs(KEYS) do
    full_in[i] = full_in[i] + interval
    redis.call('SET', key, string.format('%.0f', now + full_in[i]), 'PX', math.ceil(full_in[i] / 1000))
  end
end
return { given, unpack(full_in) }
