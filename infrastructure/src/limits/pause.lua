-- Lets a bucket be full in this time at the earliest. Keys are those of take.lua.
-- KEYS: the bucket. ARGV: the time in microseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full_in = math.max((tonumber(redis.call('GET', KEYS[1])) or now) - now, tonumber(ARGV[1]))
if full_in > 0 then
  redis.call('SET', KEYS[1], string.format('%.0f', now + full_in), 'PX', math.ceil(full_in / 1000))
end
return 0
